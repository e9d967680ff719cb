import type * as Zlib from 'node:zlib'
import { vi } from 'vitest'

const zlib = await vi.importActual<typeof Zlib>('node:zlib')

type Done = (error: Error | null, result: Buffer) => void

/** Zlib for tests whose seed says what happens when: it compresses in the same turn of the event loop, in no thread. */
export const { constants } = zlib

export function brotliCompress(bytes: Buffer, options: Zlib.BrotliOptions, done: Done): void {
  done(null, zlib.brotliCompressSync(bytes, options))
}

export function brotliDecompress(bytes: Buffer, done: Done): void {
  done(null, zlib.brotliDecompressSync(bytes))
}
