import { type ComponentType } from 'react'
import { createRoot } from 'react-dom/client'

const apps: Readonly<Record<string, () => Promise<{ readonly App: ComponentType }>>> = {
  plain: () => import('./apps/plain.tsx'),
  rowcast: () => import('./apps/rowcast.tsx'),
  'rowcast-rows': () => import('./apps/rowcast-rows.tsx'),
  zustand: () => import('./apps/zustand.tsx'),
  mobx: () => import('./apps/mobx.tsx'),
}

const name = new URLSearchParams(location.search).get('app') ?? ''
const load = apps[name]
if (!load) throw new Error(`There is no app '${name}'; there are ${Object.keys(apps).join(', ')}.`)
const { App } = await load()
createRoot(document.querySelector('#main')!).render(<App />)
