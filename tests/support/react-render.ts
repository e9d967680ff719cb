import { createRequire } from 'node:module'
import type { ReactElement } from 'react'
import * as React from 'react'
import * as ReactDom from 'react-dom'
import { inject } from 'vitest'

interface Root {
  render(element: ReactElement): void
  unmount(): void
}

interface Client {
  createRoot(container: Element): Root
  hydrateRoot(container: Element, element: ReactElement, options?: { onRecoverableError(error: unknown): void }): Root
}

interface Legacy {
  render(element: ReactElement, container: Element): void
  hydrate(element: ReactElement, container: Element): void
  unmountComponentAtNode(container: Element): boolean
}

type Act = (work: () => void | Promise<void>) => Promise<void>

/** The major version of React under test. */
export const reactVersion: number = Number(React.version.split('.')[0])

const require = createRequire(import.meta.url)
const { react, reactDom } = inject('reactPackages')
const client = reactVersion >= 18 ? (require(`${reactDom}/client`) as Client) : undefined
const legacy = ReactDom as unknown as Legacy
const reactAct = (reactVersion >= 18 ? require(react) : require(`${reactDom}/test-utils`)) as {
  act: (work: () => unknown) => unknown
}

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })

/** Runs something and waits until React has rendered and run all of its effects, and what they queued. */
export const act: Act = async (work) => {
  await reactAct.act(async () => {
    await work()
  })
}

/** Something rendered into the page. */
export interface Rendered {
  readonly container: HTMLElement
  /** The text now. */
  readonly text: () => string
  readonly find: <Found extends Element = HTMLInputElement>(selector: string) => Found
  readonly update: (element: ReactElement) => Promise<void>
  readonly unmount: () => Promise<void>
}

function show(container: HTMLElement, root: Root): Rendered {
  return {
    container,
    text: () => container.textContent,
    find: <Found extends Element>(selector: string): Found => {
      const found = container.querySelector<Found>(selector)
      if (found === null) throw new Error(`there is no ${selector} in ${container.innerHTML}`)
      return found
    },
    update: (element) => act(() => root.render(element)),
    unmount: async () => {
      await act(() => root.unmount())
      container.remove()
    },
  }
}

function legacyRoot(container: HTMLElement): Root {
  return {
    render: (element) => legacy.render(element, container),
    unmount: () => {
      legacy.unmountComponentAtNode(container)
    },
  }
}

/** Renders with whatever this version of React has: a root, or `ReactDOM.render`. */
export async function render(element: ReactElement): Promise<Rendered> {
  const container = document.body.appendChild(document.createElement('div'))
  const root = client?.createRoot(container) ?? legacyRoot(container)
  await act(() => root.render(element))
  return show(container, root)
}

/** Hydrates what a server has rendered. `recovered` gets what React had to repair. */
export async function hydrate(html: string, element: ReactElement, recovered: unknown[] = []): Promise<Rendered> {
  const container = document.body.appendChild(document.createElement('div'))
  container.innerHTML = html
  let root: Root = legacyRoot(container)
  await act(() => {
    if (client === undefined) legacy.hydrate(element, container)
    else root = client.hydrateRoot(container, element, { onRecoverableError: (error) => recovered.push(error) })
  })
  return show(container, root)
}

/** Types a text as a user does: the browser sets the value, then tells of it. */
export function type(input: HTMLInputElement, text: string): Promise<void> {
  return act(() => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, text)
    input.dispatchEvent(new Event('input', { bubbles: true }))
  })
}

/** Leaves a field. */
export function blur(input: Element): Promise<void> {
  return act(() => {
    input.dispatchEvent(new FocusEvent('focusout', { bubbles: true }))
  })
}

/** Presses a key in a field. */
export function press(input: Element, key: string, init: KeyboardEventInit = {}): Promise<void> {
  return act(() => {
    input.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init }))
  })
}
