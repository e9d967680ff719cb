/** What a label needs of an annotation: any row of the editor's schema fits. */
export interface LabelSource {
  readonly name: string
  readonly text: {
    readonly visible: boolean
    readonly value: string
    readonly color: string
    readonly size: number
    readonly opacity: number
    readonly anchor: string
    readonly transform: string
    readonly maxWidth: number
    readonly font: {
      readonly family: string
      readonly weight: number
      readonly italic: boolean
      readonly letterSpacing: number
    }
    readonly halo: {
      readonly visible: boolean
      readonly color: string
      readonly width: number
      readonly opacity: number
    }
    readonly background: {
      readonly visible: boolean
      readonly color: string
      readonly opacity: number
      readonly paddingX: number
      readonly paddingY: number
      readonly radius: number
      readonly border: { readonly color: string; readonly width: number }
    }
    readonly offset: { readonly x: number; readonly y: number }
  }
  readonly leader: {
    readonly visible: boolean
    readonly color: string
    readonly width: number
    readonly opacity: number
    readonly gap: number
    readonly dash: { readonly length: number; readonly gap: number }
    readonly elbow: { readonly visible: boolean; readonly length: number }
  }
  readonly points: readonly { readonly x: number; readonly y: number }[]
  readonly visibility: { readonly collide: boolean }
}

const families: Readonly<Record<string, string>> = {
  sans: 'Inter, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif',
  serif: 'Georgia, "DejaVu Serif", serif',
  mono: '"JetBrains Mono", Menlo, "DejaVu Sans Mono", monospace',
  condensed: '"Roboto Condensed", "Arial Narrow", "DejaVu Sans Condensed", sans-serif',
}

/** The CSS font of a label. */
export function fontOf({ text: { font, size } }: LabelSource): string {
  return `${font.italic ? 'italic ' : ''}${font.weight} ${size}px ${families[font.family] ?? families['sans']}`
}

/** What a label says. */
export function labelText({ name, text: { value, transform } }: LabelSource): string {
  const said = value === '' ? name : value
  if (transform === 'uppercase') return said.toUpperCase()
  if (transform === 'lowercase') return said.toLowerCase()
  if (transform === 'capitalize') return said.replace(/(^|\s)\p{L}/gu, (letter) => letter.toUpperCase())
  return said
}
