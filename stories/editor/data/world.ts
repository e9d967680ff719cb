import { ShapeUtils, Vector2 } from 'three'
import { feature, mesh } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import { latToY, lonToX, maxLat } from '../scene/mercator.ts'

/** The base map in mercator units (0 to 1, y down). */
export interface WorldGeometry {
  /** Triangles of the land: x, y. */
  readonly land: Float32Array
  readonly landIndex: Uint32Array
  /** Segments: x1, y1, x2, y2. */
  readonly coast: Float32Array
  readonly borders: Float32Array
}

type World = Topology<{ countries: GeometryCollection; land: GeometryCollection }>

const isCut = (lon: number): boolean => Math.abs(lon) > 179.99

function segmentsOf(lines: readonly (readonly (readonly number[])[])[]): Float32Array {
  const out: number[] = []
  for (const line of lines) {
    for (let index = 1; index < line.length; index++) {
      const [lon1 = 0, lat1 = 0] = line[index - 1] ?? []
      const [lon2 = 0, lat2 = 0] = line[index] ?? []
      // Polygons are cut along the antimeridian and closed at the pole: neither edge is a coast.
      if ((isCut(lon1) && isCut(lon2)) || Math.abs(lon1 - lon2) > 180) continue
      if (lat1 < -maxLat && lat2 < -maxLat) continue
      out.push(lonToX(lon1), latToY(lat1), lonToX(lon2), latToY(lat2))
    }
  }
  return Float32Array.from(out)
}

function ringOf(ring: readonly (readonly number[])[]): Vector2[] {
  let turn = 0
  let before: number | undefined
  const points = ring.map(([lon = 0, lat = 0]) => {
    // A ring that steps over the antimeridian goes on beyond the edge; Antarctica's closes at the pole instead.
    if (before !== undefined && lat > -80 && Math.abs(lon - before) > 180) turn += lon < before ? 1 : -1
    before = lon
    return new Vector2(lonToX(lon) + turn, latToY(lat))
  })
  points.pop()
  return points
}

/** Builds fills and outlines from a world-atlas topology (`countries-50m.json`). */
function worldGeometryOf(topology: World): WorldGeometry {
  const land: number[] = []
  const landIndex: number[] = []
  for (const { geometry } of feature(topology, topology.objects.land).features) {
    const polygons =
      geometry.type === 'MultiPolygon'
        ? geometry.coordinates
        : geometry.type === 'Polygon'
          ? [geometry.coordinates]
          : []
    for (const polygon of polygons) {
      const [outer = [], ...holes] = polygon.map(ringOf)
      const points = [outer, ...holes].flat()
      const triangles = ShapeUtils.triangulateShape(outer, holes).flat()
      // What reaches beyond one edge of the square is drawn again at the other.
      const shifts = [0]
      if (outer.some((point) => point.x > 1)) shifts.push(-1)
      if (outer.some((point) => point.x < 0)) shifts.push(1)
      for (const shift of shifts) {
        const first = land.length / 2
        for (const corner of triangles) landIndex.push(first + corner)
        for (const point of points) land.push(point.x + shift, point.y)
      }
    }
  }
  return {
    land: Float32Array.from(land),
    landIndex: Uint32Array.from(landIndex),
    coast: segmentsOf(mesh(topology, topology.objects.countries, (a, b) => a === b).coordinates),
    borders: segmentsOf(mesh(topology, topology.objects.countries, (a, b) => a !== b).coordinates),
  }
}

/** Fetches a world-atlas file. Throws when the server does not answer with it. */
export async function loadWorld(url: string): Promise<WorldGeometry> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`The outlines could not be loaded from ${url}: HTTP ${response.status}.`)
  return worldGeometryOf((await response.json()) as World)
}
