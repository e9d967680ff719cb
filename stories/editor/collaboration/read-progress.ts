interface Line {
  /** The last line has it. */
  readonly status?: number
  readonly progress?: { readonly done: number; readonly total: number }
  readonly error?: { readonly reason?: string }
}

/** Reads a call's lines of progress to their end. Throws an Error with the reason that the last line may have, and where there is no last line. */
export async function readProgress(body: ReadableStream<Uint8Array>, onShare: (share: number) => void): Promise<void> {
  let rest = ''
  let last: Line = {}
  const take = (text: string): void => {
    last = JSON.parse(text) as Line
    if (last.progress) onShare(last.progress.done / Math.max(last.progress.total, 1))
  }
  const decoder = new TextDecoder()
  const reader = body.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + decoder.decode(read.value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') take(line)
  }
  if (rest !== '') take(rest)
  if (last.error) throw new Error(last.error.reason ?? 'The server could not do it.')
  if (last.status === undefined) throw new Error('The connection broke off before the server had answered.')
}
