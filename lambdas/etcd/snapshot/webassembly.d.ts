/** The few parts of WebAssembly that Node.js has and its type package leaves to the DOM's. */
declare namespace WebAssembly {
  class Memory {
    constructor(size: { initial: number; maximum: number });
    readonly buffer: ArrayBuffer;
  }
  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module';
  }
  const Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } });
    /** The one function that the module assembled in crc32c-module.ts exports. */
    readonly exports: { readonly fold: (history: number, source: number, bytes: number) => void };
  }
}
