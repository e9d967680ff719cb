/**
 * How an attribute's numbers are kept. Those that end in `n` are whole numbers that WebGL reads normalised: `u8n` holds
 * 0 to 255 and is 0 to 1 in the shader, `i8n` holds -127 to 127 and is -1 to 1.
 */
export type AttributeType = 'f32' | 'i8' | 'i8n' | 'u8' | 'u8n' | 'i16' | 'i16n' | 'u16' | 'u16n' | 'i32' | 'u32'

/** The typed array of an attribute type. */
export type AttributeArray<Type extends AttributeType = AttributeType> = {
  readonly f32: Float32Array<ArrayBuffer>
  readonly i8: Int8Array<ArrayBuffer>
  readonly i8n: Int8Array<ArrayBuffer>
  readonly u8: Uint8Array<ArrayBuffer>
  readonly u8n: Uint8Array<ArrayBuffer>
  readonly i16: Int16Array<ArrayBuffer>
  readonly i16n: Int16Array<ArrayBuffer>
  readonly u16: Uint16Array<ArrayBuffer>
  readonly u16n: Uint16Array<ArrayBuffer>
  readonly i32: Int32Array<ArrayBuffer>
  readonly u32: Uint32Array<ArrayBuffer>
}[Type]

/** What is known of an attribute type at run time. Whole numbers have the range that they are rounded and clamped to. */
export interface AttributeFormat {
  readonly create: (length: number) => AttributeArray
  readonly normalized: boolean
  readonly range: readonly [from: number, to: number] | undefined
}

export const attributeFormats: { readonly [Type in AttributeType]: AttributeFormat } = {
  f32: { create: (length) => new Float32Array(length), normalized: false, range: undefined },
  i8: { create: (length) => new Int8Array(length), normalized: false, range: [-128, 127] },
  i8n: { create: (length) => new Int8Array(length), normalized: true, range: [-127, 127] },
  u8: { create: (length) => new Uint8Array(length), normalized: false, range: [0, 255] },
  u8n: { create: (length) => new Uint8Array(length), normalized: true, range: [0, 255] },
  i16: { create: (length) => new Int16Array(length), normalized: false, range: [-32_768, 32_767] },
  i16n: { create: (length) => new Int16Array(length), normalized: true, range: [-32_767, 32_767] },
  u16: { create: (length) => new Uint16Array(length), normalized: false, range: [0, 65_535] },
  u16n: { create: (length) => new Uint16Array(length), normalized: true, range: [0, 65_535] },
  i32: { create: (length) => new Int32Array(length), normalized: false, range: [-2_147_483_648, 2_147_483_647] },
  u32: { create: (length) => new Uint32Array(length), normalized: false, range: [0, 4_294_967_295] },
}
