import type { FileTree } from './file-tree.ts'
import type { FileData } from './opfs-files.ts'

/** Writes a file, or makes it, whole or not at all. */
export async function writeAt(
  tree: FileTree,
  names: readonly string[],
  data: FileData,
  { append }: { readonly append: boolean },
): Promise<void> {
  const handle = await tree.file(names, true)
  const writable = await handle.createWritable({ keepExistingData: append })
  try {
    if (append) await writable.seek((await handle.getFile()).size)
    await writable.write(data)
    await writable.close()
  } catch (error) {
    // A stream that failed is closed already.
    await writable.abort().catch(() => undefined)
    throw error
  }
}

/** Copies a file, or a folder with all in it. */
export async function copyAt(tree: FileTree, source: readonly string[], target: readonly string[]): Promise<void> {
  const found = await tree.find(source)
  if (found?.kind === 'file') return writeAt(tree, target, await found.getFile(), { append: false })
  await tree.folder(target, true)
  if (found) for (const name of await namesIn(found)) await copyAt(tree, [...source, name], [...target, name])
}

/** Removes a file, or a folder with all in it; of the root only what is in it. */
export async function removeAt(tree: FileTree, names: readonly string[]): Promise<void> {
  const folder = await tree.folder(names.slice(0, -1))
  const name = names.at(-1)
  const all = name === undefined ? await namesIn(folder) : [name]
  for (const entry of all) await folder.removeEntry(entry, { recursive: true })
}

/** The names in a folder, sorted. */
export async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = []
  for await (const name of folder.keys()) names.push(name)
  return names.toSorted()
}
