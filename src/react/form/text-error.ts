/** A text in a form that stands for no value. */
export class TextError extends Error {
  override readonly name: string = 'TextError'
  /** The JSON Schema keyword that comes nearest. */
  readonly keyword: string
  /** What ajv would give with it. */
  readonly params: Readonly<Record<string, unknown>>

  constructor(keyword: string, params: Readonly<Record<string, unknown>>, message: string) {
    super(message)
    this.keyword = keyword
    this.params = params
  }
}
