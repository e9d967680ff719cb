import { viewGlsl } from './view-uniforms.ts'

/** One quad per annotation, placed and sized in the shader; the same rules as `icon-rules.ts`. */
export const iconVertexShader: string = /* glsl */ `precision highp float;
in vec2 corner;
in vec2 position;
in vec4 color;
in vec4 border;
in vec4 icon;
in float shape;
in float layer;
in vec4 zoom;
in vec4 scale;
in vec4 flags;
in float state;
${viewGlsl}
uniform sampler2D uLayers;
out vec2 vPoint;
out vec4 vColor;
out vec4 vBorder;
out vec4 vShape;
flat out float vState;

const float PI = 3.141592653589793;
const float MAX_SIN = 0.99627;

void main() {
  float layerOpacity = texelFetch(uLayers, ivec2(int(layer) & 511, 0), 0).r;
  float fade = max(zoom.z * flags.z, 0.001);
  float shown = clamp((uZoom - zoom.x) / fade + 1.0, 0.0, 1.0) * clamp((zoom.y - uZoom) / fade + 1.0, 0.0, 1.0);
  float opacity = icon.y * 0.01 * shown * layerOpacity * (1.0 - flags.x) * flags.y;
  float near = clamp((uZoom - scale.y) / max(scale.x - scale.y, 0.01), 0.0, 1.0);
  float grown = mix(1.0, mix(scale.z, scale.w, near * near * (3.0 - 2.0 * near)) * 0.01, flags.w);
  float size = icon.x * grown * zoom.w * 0.01;
  float pad = icon.w + (state > 0.5 ? 5.0 : 0.0) + 1.0;
  float drawn = max(size, 1.25);
  opacity *= min(size / drawn, 1.0);
  if (opacity < 0.004) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }

  float y = clamp(sin(radians(position.y)), -MAX_SIN, MAX_SIN);
  vec2 mercator = vec2(position.x / 360.0 + 0.5, 0.5 - atanh(y) / (2.0 * PI));
  float half_ = drawn * 0.5 + pad;
  vec2 local = corner * half_;
  float turn = radians(icon.z);
  vec2 turned = mat2(cos(turn), sin(turn), -sin(turn), cos(turn)) * local;
  vec2 lift = shape > 4.5 ? vec2(0.0, -drawn * 0.5) : vec2(0.0);
  gl_Position = toClip(toPixels(mercator) + turned + lift);
  vPoint = local;
  vColor = vec4(color.rgb, color.a * opacity);
  vBorder = vec4(border.rgb, border.a * opacity);
  vShape = vec4(shape, drawn * 0.5, drawn < 4.0 ? min(icon.w, drawn * 0.12) : icon.w, uPixelRatio);
  vState = state;
}`

export const iconFragmentShader: string = /* glsl */ `precision highp float;
in vec2 vPoint;
in vec4 vColor;
in vec4 vBorder;
in vec4 vShape;
flat in float vState;
out vec4 outColor;

float box(vec2 p, float r) { vec2 d = abs(p) - r; return length(max(d, 0.0)) + min(max(d.x, d.y), 0.0); }

float triangle(vec2 p, float r) {
  p.y = -p.y + r * 0.15;
  const float k = 1.7320508;
  p.x = abs(p.x) - r;
  p.y = p.y + r / k;
  if (p.x + k * p.y > 0.0) p = vec2(p.x - k * p.y, -k * p.x - p.y) / 2.0;
  p.x -= clamp(p.x, -2.0 * r, 0.0);
  return -length(p) * sign(p.y);
}

float star(vec2 p, float r) {
  const vec2 k1 = vec2(0.809016994, -0.587785252);
  const vec2 k2 = vec2(-0.809016994, -0.587785252);
  p.y = -p.y;
  p.x = abs(p.x);
  p -= 2.0 * max(dot(k1, p), 0.0) * k1;
  p -= 2.0 * max(dot(k2, p), 0.0) * k2;
  p.x = abs(p.x);
  p.y -= r;
  vec2 ba = 0.46 * vec2(-k1.y, k1.x) - vec2(0.0, 1.0);
  float h = clamp(dot(p, ba) / dot(ba, ba), 0.0, r);
  return length(p - ba * h) * sign(p.y * ba.x - p.x * ba.y);
}

float pin(vec2 p, float r) {
  float head = length(p - vec2(0.0, -r * 0.38)) - r * 0.6;
  vec2 q = vec2(abs(p.x), p.y - r);
  float side = dot(q, normalize(vec2(1.38, 0.68)));
  float cone = max(side, max(-p.y - r * 0.12, q.y));
  return max(min(head, cone), -(length(p - vec2(0.0, -r * 0.38)) - r * 0.22));
}

float distanceTo(float shape, vec2 p, float r) {
  if (shape < 0.5) return length(p) - r;
  if (shape < 1.5) return box(p, r * 0.86);
  if (shape < 2.5) return (abs(p.x) + abs(p.y) - r) * 0.70710678;
  if (shape < 3.5) return triangle(p, r * 0.95);
  if (shape < 4.5) return star(p, r);
  return pin(p, r);
}

void main() {
  float d = distanceTo(vShape.x, vPoint, vShape.y);
  float soft = 0.5 / vShape.w;
  float inside = 1.0 - smoothstep(-soft, soft, d);
  float outer = 1.0 - smoothstep(-soft, soft, d - vShape.z);
  vec4 result = mix(vBorder, vColor, inside);
  float alpha = mix(vBorder.a * outer, vColor.a, inside);
  if (vState > 0.5) {
    float ring = abs(d - vShape.z - 2.0) - 0.9;
    float ringAlpha = 1.0 - smoothstep(-soft, soft, ring);
    vec3 ringColor = vState > 1.5 ? vec3(0.30, 0.62, 1.0) : vec3(1.0);
    result.rgb = mix(result.rgb, ringColor, ringAlpha);
    alpha = max(alpha, ringAlpha);
  }
  if (alpha < 0.004) discard;
  outColor = vec4(result.rgb, alpha);
}`
