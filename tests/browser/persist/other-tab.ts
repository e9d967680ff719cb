/** Opens a second tab of the same origin, which does what it is asked. */
export async function otherTab(): Promise<{
  appendFile: (path: string, text: string) => Promise<string>
  open: (name: string) => Promise<string>
  close: () => void
}> {
  // Another one each time: test files run side by side in one origin.
  const name = `rowcast-other-tab-${crypto.randomUUID()}`
  const channel = new BroadcastChannel(name)
  const answers = new Map<number, (result: string) => void>()
  channel.addEventListener('message', (event: MessageEvent<{ id: number; result?: string }>) => {
    if (event.data.result !== undefined) answers.get(event.data.id)?.(event.data.result)
  })
  const ready = new Promise<string>((resolve) => answers.set(0, resolve))
  const tab = window.open(`${new URL('./tab.html', import.meta.url).href}#${name}`)
  if (!tab) throw new Error('the browser opened no second tab')
  await ready
  let last = 0
  const ask = (op: string, ...args: string[]) =>
    new Promise<string>((resolve) => {
      last += 1
      answers.set(last, resolve)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
      channel.postMessage({ id: last, op, args })
    })
  return {
    appendFile: (path, text) => ask('appendFile', path, text),
    open: (name) => ask('open', name),
    close: () => {
      tab.close()
      channel.close()
    },
  }
}
