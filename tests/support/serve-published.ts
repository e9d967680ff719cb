import { createServer } from 'node:http'

/** Files on another origin than the editor's. */
export interface PublishedFiles {
  /** What makes the editor open a file: the search of its address. */
  linkTo(path: string): string
  close(): Promise<void>
}

/** Serves what stands in `files` by its path, also what is added later. */
export async function servePublished(files: ReadonlyMap<string, Uint8Array>): Promise<PublishedFiles> {
  const server = createServer((request, response) => {
    const bytes = files.get((request.url ?? '').slice(1))
    response.setHeader('access-control-allow-origin', '*')
    response.writeHead(bytes ? 200 : 404).end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The files are not served.')
  return {
    linkTo: (path) => `?db=${encodeURIComponent(`http://127.0.0.1:${address.port}/${path}`)}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
