module kube-lifeboat/test/go-verifier

// Also what Go refuses goes by this release: below 1.23 negative serials pass.
go 1.26.0
