// A binding stays the same while a panel is mounted, and its hooks with it.
/* oxlint-disable react/hooks */
import { useFieldBinding } from './field-binding.ts'
import { Icon } from './icons.tsx'

interface Point {
  readonly x: number
  readonly y: number
}

/** The bends of the leader line: a list of points, each a pair of fields bound to its place in the array. */
export function PointsEditor() {
  const { panel, useValue, useProps, useMixed } = useFieldBinding()
  const [value, set] = useValue('points')
  const mixed = useMixed('points')
  const { disabled } = useProps('points')
  const points = (Array.isArray(value) ? value : []) as readonly Point[]
  const last = points.at(-1) ?? { x: 0, y: 0 }
  return (
    <div className="points">
      {mixed && <p className="empty-line">Mixed: an edit gives all the bends of the first.</p>}
      {points.length === 0 && !mixed && <p className="empty-line">No bends: the line is straight.</p>}
      {points.map((_, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a point is its place in the list
        <div className="point" key={index}>
          <span className="point-number">{index + 1}</span>
          <Coordinate panel={panel} path={`points.${index}.x`} axis="x" />
          <Coordinate panel={panel} path={`points.${index}.y`} axis="y" />
          <button
            type="button"
            className="icon-button"
            aria-label={`Remove point ${index + 1}`}
            disabled={disabled}
            onClick={() => set(points.filter((__, other) => other !== index))}
          >
            <Icon name="minus" />
          </button>
        </div>
      ))}
      <button
        type="button"
        className="button button-small"
        data-testid={`add-point-${panel}`}
        disabled={disabled === true || points.length >= 64}
        onClick={() => set([...points, { x: last.x + 24, y: last.y - 24 }])}
      >
        <Icon name="plus" />
        Add point
      </button>
    </div>
  )
}

function Coordinate({ panel, path, axis }: { readonly panel: string; readonly path: string; readonly axis: string }) {
  const props = useFieldBinding().useProps(path)
  return (
    <span className="unit unit-before" data-unit={axis}>
      <input {...props} step={1} aria-label={`${axis} of ${path}`} data-testid={`field-${panel}-${path}`} />
    </span>
  )
}
