/** Characters that are sent at once, about. */
const CHUNK = 64 * 1024

/**
 * A text that is made piece by piece, as the body of an answer: as fast as it is taken, or at once where it is short. Calls
 * `done` when nothing is read of it any more. Throws what the first pieces throw; what later ones throw breaks the body.
 */
export async function streamText(
  pieces: AsyncGenerator<string>,
  done: () => void,
): Promise<string | ReadableStream<Uint8Array>> {
  try {
    const [first = '', second] = [await nextChunk(pieces), await nextChunk(pieces)]
    if (second !== undefined) return streamOf(pieces, [first, second], done)
    done()
    return first
  } catch (error) {
    done()
    throw error
  }
}

function streamOf(pieces: AsyncGenerator<string>, read: string[], done: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const chunk = read.shift() ?? (await nextChunk(pieces))
          if (chunk !== undefined) {
            controller.enqueue(encoder.encode(chunk))
            return
          }
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        done()
      },
      cancel: async () => {
        done()
        await pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

async function nextChunk(pieces: AsyncGenerator<string>): Promise<string | undefined> {
  let chunk = ''
  for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) {
    chunk += piece.value
    if (chunk.length >= CHUNK) return chunk
  }
  return chunk === '' ? undefined : chunk
}
