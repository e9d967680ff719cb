import { BehaviorSubject } from 'rxjs'

export type PanelId = 'layers' | 'history' | 'table' | 'properties'

/** A panel's size across its separator, in pixels, and whether it is shown. */
export interface PanelState {
  readonly size: number
  readonly open: boolean
}

export type PanelStates = Readonly<Record<PanelId, PanelState>>

export interface PanelLimits {
  readonly title: string
  readonly least: number
  readonly most: number
}

export const panelLimits: Readonly<Record<PanelId, PanelLimits>> = {
  layers: { title: 'Layers', least: 160, most: 480 },
  history: { title: 'History', least: 90, most: 640 },
  table: { title: 'Table', least: 90, most: 640 },
  properties: { title: 'Properties', least: 280, most: 760 },
}

const storageKey = 'rowcast-editor-panels'

/** What a window of this width begins with. */
function initialStates(windowWidth: number): PanelStates {
  const narrow = windowWidth < 1440
  return {
    layers: { size: narrow ? 208 : 244, open: true },
    history: { size: 290, open: true },
    table: { size: windowWidth < 1200 ? 220 : 292, open: true },
    properties: { size: windowWidth < 1200 ? 320 : narrow ? 500 : 584, open: true },
  }
}

/** How large the panels are and which are open: this person's own, kept in this browser. */
export class PanelLayout {
  readonly states$: BehaviorSubject<PanelStates>

  constructor() {
    this.states$ = new BehaviorSubject(keptStates(initialStates(window.innerWidth)))
  }

  resize(panel: PanelId, size: number): void {
    const { least, most } = panelLimits[panel]
    this.#set(panel, { size: Math.round(Math.min(Math.max(size, least), most)), open: true })
  }

  setOpen(panel: PanelId, open: boolean): void {
    this.#set(panel, { ...this.states$.value[panel], open })
  }

  #set(panel: PanelId, state: PanelState): void {
    const states = { ...this.states$.value, [panel]: state }
    localStorage.setItem(storageKey, JSON.stringify(states))
    this.states$.next(states)
  }
}

/** What was kept, as far as it can be understood. */
function keptStates(initial: PanelStates): PanelStates {
  try {
    const kept = JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Record<PanelId, Partial<PanelState>>>
    const stateOf = (panel: PanelId): PanelState => {
      const { size, open } = kept?.[panel] ?? {}
      const { least, most } = panelLimits[panel]
      return {
        size: typeof size === 'number' && size >= least && size <= most ? size : initial[panel].size,
        open: typeof open === 'boolean' ? open : initial[panel].open,
      }
    }
    return {
      layers: stateOf('layers'),
      history: stateOf('history'),
      table: stateOf('table'),
      properties: stateOf('properties'),
    }
  } catch (error) {
    if (error instanceof SyntaxError) return initial
    throw error
  }
}
