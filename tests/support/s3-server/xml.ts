/** An element's content: text, elements, or several elements of one name. */
export type XmlContent = string | number | boolean | XmlElements | readonly XmlElements[]
export interface XmlElements {
  readonly [name: string]: XmlContent | undefined
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
}

/** A document of one root; elements that are `undefined` are left out, a list repeats its element. */
export function writeXml(root: string, content: XmlElements): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${writeElement(root, content)}`)
}

function writeElement(name: string, content: XmlContent | undefined): string {
  if (content === undefined) return ''
  if (Array.isArray(content)) return content.map((each: XmlElements) => writeElement(name, each)).join('')
  const inner =
    typeof content === 'object'
      ? Object.entries(content)
          .map(([child, grandchildren]) => writeElement(child, grandchildren))
          .join('')
      : escapeXml(String(content))
  return `<${name}>${inner}</${name}>`
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"\p{Cc}]/gu, (character) => `&#${character.charCodeAt(0)};`)
}

/** The contents of all elements of a name, outermost first, as they stand in the text. */
export function readElements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}>`, 'gs'))].map(([, inner = '']) => inner)
}

/** The text of the first element of a name, if there is one. */
export function readText(xml: string, name: string): string | undefined {
  return readElements(xml, name)[0]?.replace(
    /&(?:amp|lt|gt|quot|apos|#(?<decimal>\d+)|#x(?<hex>[\da-f]+));/gi,
    (entity, decimal: string | undefined, hex: string | undefined) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      return entities[entity.toLowerCase()] ?? entity
    },
  )
}
