import { BehaviorSubject, pairwise, Subscription } from 'rxjs'
import type { RowChange } from 'rowcast'
import type { WorldGeometry } from '../data/world.ts'
import type { LonLat, MapScene, ViewState } from '../scene/index.ts'
import type { EditorDraft, EditorStore } from './editor-store.ts'
import type { Collaboration } from '../collaboration/collaboration.ts'
import { LayerIndex } from './layer-index.ts'
import { LayerVisibility } from './layer-visibility.ts'
import { createSceneMirror, type SceneMirror } from './scene-mirror.ts'
import { PanelLayout } from './panel-layout.ts'
import { nothing, selectionOf, type Selection } from './selection.ts'
import { lowered, stepLabel } from './step-label.ts'

export type Tool = 'select' | 'add'

/** Something to be sure of before it is done. */
export interface Question {
  readonly title: string
  readonly text: string
  /** What the button says. */
  readonly action: string
  readonly answer: (yes: boolean) => void
}

export interface Notice {
  /** `busy` is told until another one takes its place. */
  readonly kind: 'info' | 'busy' | 'error'
  readonly message: string
}

/** What benchmarks and tests reach the editor by. */
export interface EditorHandle {
  readonly store: EditorStore
  readonly mirror: SceneMirror
  readonly scene: MapScene | undefined
  /** The open draft; undefined in a read-only project. */
  draft(): EditorDraft | undefined
}

declare global {
  interface Window {
    rowcastEditor?: EditorHandle
  }
}

const plural = (count: number): string => `${count.toLocaleString('en')} annotations`

/**
 * The editor's own state, which is no part of the project: selection, tool, notices, and the one draft that all edits of
 * annotations and of the scene go through. It lives as long as the page.
 */
export class Editor {
  readonly store: EditorStore
  readonly world: WorldGeometry
  /** Undefined where the editor works alone. */
  readonly collaboration: Collaboration | undefined
  readonly layers: LayerIndex = new LayerIndex()
  readonly visibility: LayerVisibility
  readonly layout: PanelLayout = new PanelLayout()
  readonly mirror: SceneMirror
  readonly selection$: BehaviorSubject<Selection> = new BehaviorSubject(nothing)
  readonly draft$: BehaviorSubject<EditorDraft | undefined>
  readonly tool$: BehaviorSubject<Tool> = new BehaviorSubject<Tool>('select')
  readonly notice$: BehaviorSubject<Notice | undefined> = new BehaviorSubject<Notice | undefined>(undefined)
  readonly question$: BehaviorSubject<Question | undefined> = new BehaviorSubject<Question | undefined>(undefined)
  /** The layer that the table shows, with those below it. */
  readonly layerFilter$: BehaviorSubject<string | undefined> = new BehaviorSubject<string | undefined>(undefined)
  /** Whether the pointer is moving what is selected. */
  readonly dragging$: BehaviorSubject<boolean> = new BehaviorSubject(false)
  /** What the map shows first; the project's own view if undefined. */
  startView: ViewState | undefined
  #scene: MapScene | undefined
  readonly #subscriptions = new Subscription()

  constructor(store: EditorStore, world: WorldGeometry, collaboration: Collaboration | undefined) {
    this.store = store
    this.world = world
    this.collaboration = collaboration
    this.visibility = new LayerVisibility(collaboration?.database ?? location.search)
    for (const layer of store.table('layer').all()) this.layers.indexOf(layer.id)
    this.mirror = createSceneMirror(store, this.layers)
    this.draft$ = new BehaviorSubject(store.readOnly ? undefined : store.draft({ label: 'Edit scene' }))
    this.#subscriptions.add(store.table('annotation').changes$.subscribe(({ deleted }) => this.#forget(deleted)))
    this.#subscriptions.add(
      store.history.skipped$.pipe(pairwise()).subscribe(([before, now]) => {
        const skipped = now.at(-1)
        if (skipped && !before.includes(skipped))
          this.notify({
            kind: 'error',
            message: `Can’t ${skipped.action} “${lowered(skipped.step.label ?? 'this step')}”: ${skipped.reason.message}`,
          })
      }),
    )
    const sceneNow = (): MapScene | undefined => this.scene
    window.rowcastEditor = {
      store,
      mirror: this.mirror,
      get scene() {
        return sceneNow()
      },
      draft: () => this.draft$.value,
    }
    collaboration?.attach(this)
  }

  /** The map's scene, while it is mounted. */
  get scene(): MapScene | undefined {
    return this.#scene
  }

  setScene(scene: MapScene | undefined): void {
    this.#scene = scene
  }

  get readOnly(): boolean {
    return this.store.readOnly
  }

  nameOf(id: string): string {
    const row = this.store.table('annotation').get(id)
    return row ? row.name || row.id : 'annotation'
  }

  /** What changes came to, in a few words. */
  labelOf(changes: Parameters<typeof stepLabel>[0]): string {
    return stepLabel(changes, (table, key) =>
      table === 'layer' ? (this.store.table('layer').get(key)?.name ?? 'layer') : this.nameOf(key),
    )
  }

  select(selection: Selection): void {
    this.selection$.next(selection)
    const { ids, primary } = selection
    this.openDraft(
      primary === undefined
        ? 'Edit scene'
        : ids.length > 1
          ? `Edit ${plural(ids.length)}`
          : `Edit ${this.nameOf(primary)}`,
    )
  }

  /**
   * The draft to write to. One that is dirty stays as it is; a clean one is replaced by one with this label. Undefined
   * in a read-only project.
   */
  openDraft(label: string): EditorDraft | undefined {
    const current = this.draft$.value
    if (!current || (current.state === 'open' && (current.isDirty || current.label === label))) return current
    if (current.state === 'open') current.cancel()
    const draft = this.store.draft({ label })
    this.draft$.next(draft)
    return draft
  }

  /** OK. What the store refuses is shown, and the draft stays open. */
  commit(): void {
    const draft = this.draft$.value
    if (!draft?.isDirty) return
    this.attempt(() => {
      draft.commit({ label: this.labelOf(draft.changes().changes) })
      this.select(this.selection$.value)
    })
  }

  cancel(): void {
    const draft = this.draft$.value
    if (draft?.state !== 'open') return
    draft.cancel()
    this.select(this.selection$.value)
  }

  /** Inserts an annotation in the draft and selects it. */
  add(place: LonLat): void {
    const draft = this.openDraft('Add annotation')
    if (!draft) return
    const id = `note-${Date.now().toString(36)}-${Math.floor(Math.random() * 36 ** 4).toString(36)}`
    const added = this.attempt(() =>
      draft.table('annotation').insert({
        id,
        name: 'New annotation',
        kind: 'note',
        rank: 90,
        position: { lon: round(place.lon), lat: round(place.lat) },
        icon: { shape: 'pin', color: '#4d9dff', size: 22, border: { color: '#ffffff', width: 1.5 } },
        text: { size: 13, font: { weight: 600 } },
      }),
    )
    this.tool$.next('select')
    if (added) this.select(selectionOf([id]))
  }

  /** Deletes what is selected: at once, or as a part of the draft where that has other edits. */
  deleteSelected(): void {
    const { ids, primary } = this.selection$.value
    if (primary === undefined) return
    const draft = this.openDraft(ids.length > 1 ? `Delete ${plural(ids.length)}` : `Delete ${this.nameOf(primary)}`)
    if (!draft) return
    const alone = !draft.isDirty
    this.attempt(() => {
      draft.table('annotation').delete(ids)
      if (alone) draft.commit({ label: this.labelOf(draft.changes().changes) })
    })
    this.select(this.selection$.value)
  }

  save(): void {
    const title = this.store.value('scene').get()?.title ?? 'project'
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([this.store.export()], { type: 'application/vnd.sqlite3' }))
    link.download = `${title.replaceAll(/[^\p{L}\p{N}]+/gu, '-').toLowerCase()}.db`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }

  /** Replaces the project by a file: for everyone, after asking, where others have it open too. */
  async open(file: File): Promise<void> {
    const sure =
      !this.collaboration ||
      (await this.ask({
        title: `Replace the project by ${file.name}?`,
        text: 'Everyone who has it open sees the file instead. The history keeps what is here now: you can roll back to it.',
        action: 'Replace',
      }))
    if (!sure) return
    const bytes = await file.arrayBuffer()
    this.cancel()
    const opened = this.collaboration
      ? await this.collaboration.calls.import(bytes, `Open ${file.name}`).then(
          () => true,
          (error: unknown) => this.fail(error),
        )
      : this.attempt(() => this.store.import(bytes))
    if (!opened) return
    this.store.history.clear()
    this.select(nothing)
    this.notify({ kind: 'info', message: `Opened ${file.name}` })
  }

  /** Resolves with whether the answer is yes. A question that stands is answered by no. */
  ask(question: Omit<Question, 'answer'>): Promise<boolean> {
    this.question$.value?.answer(false)
    return new Promise((resolve) => {
      const answer = (yes: boolean): void => {
        this.question$.next(undefined)
        resolve(yes)
      }
      this.question$.next({ ...question, answer })
    })
  }

  notify(notice: Notice | undefined): void {
    this.notice$.next(notice)
  }

  /** Runs a write of the user's; what the store refuses is shown. Tells whether it was done. */
  attempt(write: () => void): boolean {
    try {
      write()
      return true
    } catch (error) {
      return this.fail(error)
    }
  }

  /** Shows what went wrong. */
  fail(error: unknown): false {
    this.notify({ kind: 'error', message: error instanceof Error ? error.message : String(error) })
    return false
  }

  #forget(deleted: readonly RowChange[]): void {
    const { ids, primary } = this.selection$.value
    if (deleted.length === 0 || ids.length === 0) return
    const gone = new Set(deleted.map(({ key }) => key))
    if (!ids.some((id) => gone.has(id))) return
    const left = ids.filter((id) => !gone.has(id))
    this.selection$.next(selectionOf(left, primary !== undefined && !gone.has(primary) ? primary : undefined))
  }
}

const round = (degrees: number): number => Math.round(degrees * 1e5) / 1e5
