// A binding stays the same while a panel is mounted, and its hooks with it.
/* oxlint-disable react/hooks */
import { useEffect, useMemo, useState } from 'react'
import { DraftProvider, useRow } from './editor-store.ts'
import { moveFocus } from './arrow-focus.ts'
import type { Editor } from './editor.ts'
import { annotationBinding, FieldBindingProvider, sceneBinding, useFieldBinding } from './field-binding.ts'
import { annotationGroups, type GroupNode, sceneGroups, type SectionNode } from './field-tree.ts'
import { Field, Switch } from './fields.tsx'
import { Icon } from './icons.tsx'
import { MixedPaths } from './mixed-paths.ts'
import { CloseButton } from './panel-layout-controls.tsx'
import { useSubject } from './use-subject.ts'
import { writeToAll } from './write-to-all.ts'

/** Two panels of what is selected, side by side, both writing to the one draft. */
export function PropertyPanels({ editor }: { readonly editor: Editor }) {
  const { ids, primary } = useSubject(editor.selection$)
  const draft = useSubject(editor.draft$)
  const mixed = useMemo(() => new MixedPaths(editor.store, ids), [editor, ids])
  useEffect(() => {
    const following = mixed.follow()
    return () => following.unsubscribe()
  }, [mixed])
  const written = useMemo(
    () => (draft && primary !== undefined && ids.length > 1 ? writeToAll(draft, primary, ids) : draft),
    [draft, primary, ids],
  )
  const panels =
    primary === undefined ? (
      <ScenePanel editor={editor} />
    ) : (
      <>
        <PanelHead key={primary} editor={editor} id={primary} />
        <div className="panel-pair">
          <AnnotationPanel panel="1" id={primary} ids={ids} mixed={mixed} first="icon" />
          <AnnotationPanel panel="2" id={primary} ids={ids} mixed={mixed} first="all" />
        </div>
      </>
    )
  return <div className="inspector">{written ? <DraftProvider draft={written}>{panels}</DraftProvider> : panels}</div>
}

function PanelHead({ editor, id }: { readonly editor: Editor; readonly id: string }) {
  const row = useRow('annotation', id, ({ name, kind, icon, geonames, locked }) => ({
    name,
    kind,
    color: icon.color,
    geonames,
    locked,
  }))
  const { ids } = useSubject(editor.selection$)
  if (!row) return null
  if (ids.length > 1) return <ManyHead editor={editor} count={ids.length} />
  const { population, country } = row.geonames
  const facts = [row.kind, country, population > 0 ? `${population.toLocaleString('en')} inhabitants` : ''].filter(
    Boolean,
  )
  return (
    <header className="panel-head">
      <span className="swatch swatch-large" style={{ background: row.color }} />
      <div className="panel-title">
        <h2 title={id}>{row.name || id}</h2>
        <p>{facts.join(' · ')}</p>
      </div>
      {row.locked && <Icon name="lock" />}
      <CloseButton layout={editor.layout} panel="properties" />
    </header>
  )
}

function ManyHead({ editor, count }: { readonly editor: Editor; readonly count: number }) {
  return (
    <header className="panel-head">
      <span className="swatch swatch-large swatch-icon">
        <Icon name="layers" />
      </span>
      <div className="panel-title">
        <h2>{count.toLocaleString('en')} annotations</h2>
        <p>{editor.readOnly ? 'Mixed where they differ' : 'Edited together · mixed where they differ'}</p>
      </div>
      <CloseButton layout={editor.layout} panel="properties" />
    </header>
  )
}

interface AnnotationPanelProps {
  readonly panel: string
  readonly id: string
  readonly ids: readonly string[]
  readonly mixed: MixedPaths
  readonly first: string
}

function AnnotationPanel({ panel, id, ids, mixed, first }: AnnotationPanelProps) {
  const [tab, setTab] = useState(first)
  const binding = useMemo(() => annotationBinding(panel, id, ids, mixed), [panel, id, ids, mixed])
  const title = annotationGroups.find((group) => group.id === tab)?.title ?? 'All properties'
  const groups = tab === 'all' ? annotationGroups : annotationGroups.filter((group) => group.id === tab)
  return (
    <div className="panel" data-testid={`panel-${panel}`}>
      <div className="tabs" role="tablist" aria-label="Groups of properties" data-keeps-keys onKeyDown={moveFocus}>
        <Tab
          title="All properties"
          icon="list"
          selected={tab === 'all'}
          onSelect={() => setTab('all')}
          testId={`tab-${panel}-all`}
        />
        {annotationGroups.map((group) => (
          <Tab
            key={group.id}
            title={group.title}
            icon={group.icon}
            selected={tab === group.id}
            onSelect={() => setTab(group.id)}
            testId={`tab-${panel}-${group.id}`}
          />
        ))}
      </div>
      <FieldBindingProvider value={binding}>
        <div
          className="panel-body"
          role="tabpanel"
          id={`panel-${panel}`}
          aria-label={title}
          tabIndex={-1}
          key={`${ids.length} ${id} ${tab}`}
        >
          {groups.map((group) => (
            <Group key={group.id} group={group} />
          ))}
        </div>
      </FieldBindingProvider>
    </div>
  )
}

interface TabProps {
  readonly title: string
  readonly icon: GroupNode['icon']
  readonly selected: boolean
  readonly onSelect: () => void
  readonly testId: string
}

function Tab({ title, icon, selected, onSelect, testId }: TabProps) {
  return (
    <button
      type="button"
      role="tab"
      title={title}
      aria-label={title}
      aria-selected={selected}
      tabIndex={selected ? 0 : -1}
      data-testid={testId}
      onClick={onSelect}
    >
      <Icon name={icon} />
    </button>
  )
}

function Group({ group }: { readonly group: GroupNode }) {
  return (
    <>
      {group.sections.map((section) => (
        <Section key={section.path} section={section} main={section.path === group.id} />
      ))}
    </>
  )
}

function Section({ section, main }: { readonly section: SectionNode; readonly main: boolean }) {
  const [open, setOpen] = useState(true)
  return (
    <section className="section" data-main={main}>
      <header>
        <button type="button" className="section-title" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name="chevron" />
          {section.title}
        </button>
        {section.toggle && (
          <SectionSwitch path={section.toggle.path} label={`${section.title}: ${section.toggle.label}`} />
        )}
      </header>
      {open && (
        <div className="section-fields">
          {section.fields.map((field) => (
            <Field key={field.path} field={field} />
          ))}
        </div>
      )}
    </section>
  )
}

function SectionSwitch({ path, label }: { readonly path: string; readonly label: string }) {
  const { panel } = useFieldBinding()
  return <Switch path={path} label={label} testId={`field-${panel}-${path}`} />
}

/** With nothing selected: the settings of the whole project. */
function ScenePanel({ editor }: { readonly editor: Editor }) {
  const [left, right] = useMemo(() => [sceneBinding('1', editor), sceneBinding('2', editor)], [editor])
  const [general, ...others] = sceneGroups
  return (
    <>
      <header className="panel-head">
        <span className="swatch swatch-large swatch-icon">
          <Icon name="globe" />
        </span>
        <div className="panel-title">
          <h2>Scene</h2>
          <p>Nothing selected · the whole map</p>
        </div>
        <CloseButton layout={editor.layout} panel="properties" />
      </header>
      <div className="panel-pair" data-scene>
        <div className="panel">
          <FieldBindingProvider value={left}>
            <div className="panel-body">
              {general && (
                <Group group={{ ...general, sections: general.sections.map((one) => ({ ...one, title: 'Colors' })) }} />
              )}
            </div>
          </FieldBindingProvider>
        </div>
        <div className="panel">
          <FieldBindingProvider value={right}>
            <div className="panel-body">
              {others.map((group) => (
                <Group key={group.id} group={group} />
              ))}
              <Hints readOnly={editor.readOnly} />
            </div>
          </FieldBindingProvider>
        </div>
      </div>
    </>
  )
}

const readHints = [
  ['Click', 'select an annotation'],
  ['Shift-drag', 'select a rectangle'],
  ['Shift-click', 'select up to a row'],
  ['Ctrl-click', 'add to the selection'],
  ['Wheel, + −', 'zoom'],
  ['Arrows', 'move the map, or in a list'],
  ['Space', 'select, or show a layer'],
  ['Page Up, Down', 'go through the labels'],
] as const

const editHints = [
  ['Drag', 'move an annotation'],
  ['Ctrl arrows', 'move what is selected'],
  ['F2', 'rename'],
  ['Enter', 'OK'],
  ['Esc', 'give up the field, then the edit'],
  ['Del', 'delete what is selected'],
  ['Ctrl Z, Ctrl Y', 'undo, redo'],
] as const

function Hints({ readOnly }: { readonly readOnly: boolean }) {
  return (
    <section className="section hints">
      <header>
        <span className="section-title">Shortcuts</span>
      </header>
      <dl>
        {[...readHints, ...(readOnly ? [] : editHints)].map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
