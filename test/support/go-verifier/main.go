// Reads certificates as every component of Kubernetes does: by crypto/x509 alone. One JSON array of cases on stdin, one of answers on stdout.
package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

type question struct {
	// The certificate and what its owner sends after it, as one PEM text.
	Chain string `json:"chain"`
	// What the other side trusts, as one PEM text.
	Roots string `json:"roots"`
	// "server" or "client": what the certificate is to be used for.
	As string `json:"as"`
	// A DNS name or an IP address that a client connected to; empty for none.
	Host string `json:"host"`
	// RFC 3339.
	At string `json:"at"`
	// When given, must be the key of the certificate in PKCS #1.
	Key string `json:"key"`
}

func certificates(text string) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, errors.New("no certificate")
	}
	return found, nil
}

func poolOf(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool
}

func ownsKey(certificate *x509.Certificate, text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return errors.New("no key")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	if public, ok := certificate.PublicKey.(*rsa.PublicKey); !ok || !key.PublicKey.Equal(public) {
		return errors.New("another key")
	}
	return nil
}

func judge(q question) error {
	at, err := time.Parse(time.RFC3339, q.At)
	if err != nil {
		return err
	}
	chain, err := certificates(q.Chain)
	if err != nil {
		return err
	}
	roots, err := certificates(q.Roots)
	if err != nil {
		return err
	}
	if q.Key != "" {
		if err := ownsKey(chain[0], q.Key); err != nil {
			return err
		}
	}
	usage := x509.ExtKeyUsageServerAuth
	if q.As == "client" {
		usage = x509.ExtKeyUsageClientAuth
	}
	_, err = chain[0].Verify(x509.VerifyOptions{
		DNSName:       q.Host,
		Roots:         poolOf(roots),
		Intermediates: poolOf(chain[1:]),
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{usage},
	})
	return err
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := make([]string, len(questions))
	for i, q := range questions {
		if err := judge(q); err != nil {
			answers[i] = err.Error()
		} else {
			answers[i] = "ok"
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
