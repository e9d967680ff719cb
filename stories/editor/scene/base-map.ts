import {
  BufferAttribute,
  BufferGeometry,
  Color,
  GLSL3,
  Group,
  LineSegments,
  Mesh,
  RawShaderMaterial,
  Sphere,
  type IUniform,
} from 'three'
import type { WorldGeometry } from '../data/world.ts'
import { latToY, lonToX } from './mercator.ts'
import { viewGlsl, type ViewUniforms } from './view-uniforms.ts'

/** Colors of the base map, as CSS colors, and the grid's step in degrees (0: none). */
export interface MapStyle {
  readonly background: string
  readonly land: string
  readonly coast: string
  readonly border: string
  readonly grid: string
  readonly gridStep: number
}

export const defaultMapStyle: MapStyle = {
  background: '#0b1016',
  land: '#131c26',
  coast: '#3d5063',
  border: '#33455a',
  grid: '#141d27',
  gridStep: 15,
}

const vertexShader = /* glsl */ `precision highp float;
in vec2 position;
${viewGlsl}
void main() { gl_Position = toClip(toPixels(position)); }`

const fragmentShader = /* glsl */ `precision highp float;
uniform vec3 uColor;
out vec4 color;
void main() { color = vec4(uColor, 1.0); }`

function gridSegments(step: number): Float32Array {
  const out: number[] = []
  if (step <= 0) return new Float32Array()
  for (let lon = -180 + step; lon < 180; lon += step) out.push(lonToX(lon), 0, lonToX(lon), 1)
  for (let lat = -90 + step; lat < 90; lat += step) out.push(0, latToY(lat), 1, latToY(lat))
  return Float32Array.from(out)
}

function geometryOf(points: Float32Array, index?: Uint32Array): BufferGeometry {
  const geometry = new BufferGeometry()
  geometry.setAttribute('position', new BufferAttribute(points, 2))
  // Three would measure 3D positions to sort by; ours are 2D.
  geometry.boundingSphere = new Sphere()
  if (index) geometry.setIndex(new BufferAttribute(index, 1))
  return geometry
}

type BaseObject = Mesh<BufferGeometry, RawShaderMaterial> | LineSegments<BufferGeometry, RawShaderMaterial>

/** Land, grid, borders and coasts, drawn in that order. */
export class BaseMap {
  readonly group: Group = new Group()
  readonly #uniforms: ViewUniforms
  readonly #colors: Record<'land' | 'grid' | 'border' | 'coast', IUniform<Color>> = {
    land: { value: new Color() },
    grid: { value: new Color() },
    border: { value: new Color() },
    coast: { value: new Color() },
  }
  readonly #drawn: BaseObject[] = []
  #grid: BaseObject | undefined
  #gridStep = -1

  constructor(uniforms: ViewUniforms) {
    this.#uniforms = uniforms
    this.setStyle(defaultMapStyle)
  }

  setStyle(style: MapStyle): void {
    for (const name of ['land', 'grid', 'border', 'coast'] as const) {
      // Written to the screen as they are: no tone mapping, no conversion.
      this.#colors[name].value.setStyle(style[name], '')
    }
    if (style.gridStep === this.#gridStep) return
    this.#gridStep = style.gridStep
    this.#grid?.geometry.dispose()
    this.#grid?.removeFromParent()
    this.#grid = new LineSegments(geometryOf(gridSegments(style.gridStep)), this.#material('grid'))
    this.#add(this.#grid, 1)
  }

  setWorld(world: WorldGeometry): void {
    this.#add(new Mesh(geometryOf(world.land, world.landIndex), this.#material('land')), 0)
    this.#add(new LineSegments(geometryOf(world.borders), this.#material('border')), 2)
    this.#add(new LineSegments(geometryOf(world.coast), this.#material('coast')), 3)
  }

  dispose(): void {
    for (const { geometry, material } of this.#drawn) {
      geometry.dispose()
      material.dispose()
    }
    this.group.clear()
  }

  #material(color: 'land' | 'grid' | 'border' | 'coast'): RawShaderMaterial {
    return new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader,
      fragmentShader,
      depthTest: false,
      depthWrite: false,
      side: 2,
      uniforms: { ...this.#uniforms, uColor: this.#colors[color] },
    })
  }

  #add(object: BaseObject, order: number): void {
    this.#drawn.push(object)
    object.frustumCulled = false
    object.renderOrder = order
    this.group.add(object)
  }
}
