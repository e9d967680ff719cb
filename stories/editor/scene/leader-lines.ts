import {
  BufferAttribute,
  Color,
  GLSL3,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  RawShaderMaterial,
  Sphere,
} from 'three'
import type { PlacedLabel } from './label-layout.ts'
import type { ScreenPoint } from './map-view.ts'
import { viewGlsl, type ViewUniforms } from './view-uniforms.ts'

const capacity = 4096

const vertexShader = /* glsl */ `precision highp float;
in vec2 corner;
in vec4 ends;
in vec4 color;
in vec4 stroke;
${viewGlsl}
out vec4 vColor;
out vec4 vStroke;
out vec2 vAlong;
void main() {
  vec2 along = ends.zw - ends.xy;
  float len = max(length(along), 0.001);
  vec2 direction = along / len;
  vec2 side = vec2(-direction.y, direction.x);
  float half_ = stroke.x * 0.5 + 1.0;
  vec2 at = mix(ends.xy, ends.zw, corner.x * 0.5 + 0.5) + side * corner.y * half_;
  gl_Position = toClip(at - uViewport * 0.5);
  vColor = color;
  vStroke = vec4(stroke.xyz, uPixelRatio);
  vAlong = vec2(stroke.w + len * (corner.x * 0.5 + 0.5), corner.y * half_);
}`

const fragmentShader = /* glsl */ `precision highp float;
in vec4 vColor;
in vec4 vStroke;
in vec2 vAlong;
out vec4 outColor;
void main() {
  if (vStroke.y > 0.0 && mod(vAlong.x, vStroke.y + vStroke.z) > vStroke.y) discard;
  float soft = 0.5 / vStroke.w;
  float alpha = vColor.a * (1.0 - smoothstep(-soft, soft, abs(vAlong.y) - vStroke.x * 0.5));
  if (alpha < 0.004) discard;
  outColor = vec4(vColor.rgb, alpha);
}`

/** The bends of a label's leader line, in pixels, from its icon to its text. */
function pathOf(label: PlacedLabel): ScreenPoint[] {
  const {
    iconX,
    iconY,
    source: { leader, points, text },
  } = label
  const padding = text.background.visible ? text.background.paddingX : 0
  const toRight = label.x + label.width / 2 >= iconX
  const end = { x: toRight ? label.x - padding - 3 : label.x + label.width + padding + 3, y: label.y }
  const bends = points.map((point) => ({ x: iconX + point.x, y: iconY + point.y }))
  if (leader.elbow.visible && bends.length === 0) {
    bends.push({ x: end.x + (toRight ? -leader.elbow.length : leader.elbow.length), y: end.y })
  }
  const next = bends[0] ?? end
  const distance = Math.hypot(next.x - iconX, next.y - iconY)
  const gap = Math.min((label.iconRadius + leader.gap) / Math.max(distance, 0.001), 1)
  return [{ x: iconX + (next.x - iconX) * gap, y: iconY + (next.y - iconY) * gap }, ...bends, end]
}

/** The leader lines of the labels shown, in one instanced draw call of thick segments. */
export class LeaderLines {
  readonly mesh: Mesh<InstancedBufferGeometry, RawShaderMaterial>
  readonly #ends = new InstancedBufferAttribute(new Float32Array(capacity * 4), 4)
  readonly #color = new InstancedBufferAttribute(new Float32Array(capacity * 4), 4)
  readonly #stroke = new InstancedBufferAttribute(new Float32Array(capacity * 4), 4)
  readonly #parsed = new Color()

  constructor(uniforms: ViewUniforms) {
    const geometry = new InstancedBufferGeometry()
    geometry.setAttribute('corner', new BufferAttribute(Float32Array.of(-1, -1, 1, -1, 1, 1, -1, 1), 2))
    geometry.setAttribute('ends', this.#ends)
    geometry.setAttribute('color', this.#color)
    geometry.setAttribute('stroke', this.#stroke)
    geometry.setIndex([0, 1, 2, 0, 2, 3])
    geometry.instanceCount = 0
    geometry.boundingSphere = new Sphere()
    this.mesh = new Mesh(
      geometry,
      new RawShaderMaterial({
        glslVersion: GLSL3,
        vertexShader,
        fragmentShader,
        transparent: true,
        depthTest: false,
        depthWrite: false,
        side: 2,
        uniforms: { ...uniforms },
      }),
    )
    this.mesh.frustumCulled = false
    this.mesh.renderOrder = 9
  }

  update(labels: readonly PlacedLabel[]): void {
    let count = 0
    for (const label of labels) {
      const { leader } = label.source
      if (!leader.visible) continue
      const path = pathOf(label)
      this.#parsed.setStyle(leader.color, '')
      let walked = 0
      for (let index = 1; index < path.length && count < capacity; index++) {
        const from = path[index - 1]
        const to = path[index]
        if (!from || !to) continue
        this.#ends.setXYZW(count, from.x, from.y, to.x, to.y)
        this.#color.setXYZW(count, this.#parsed.r, this.#parsed.g, this.#parsed.b, leader.opacity / 100)
        this.#stroke.setXYZW(count, leader.width, leader.dash.length, leader.dash.gap, walked)
        walked += Math.hypot(to.x - from.x, to.y - from.y)
        count++
      }
    }
    this.mesh.visible = count > 0
    this.mesh.geometry.instanceCount = count
    for (const attribute of [this.#ends, this.#color, this.#stroke]) {
      attribute.clearUpdateRanges()
      attribute.addUpdateRange(0, count * 4)
      attribute.needsUpdate = count > 0
    }
  }

  dispose(): void {
    this.mesh.geometry.dispose()
    this.mesh.material.dispose()
  }
}
