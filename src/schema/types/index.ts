/**
 * schema/types: what TypeScript knows of a schema. Nothing here exists at run time.
 * @module
 */
export type { CheckSchema, KnownSchema } from './check-schema.ts'
export type { InferMode, InferSchema } from './infer.ts'
export type { Patch } from './patch.ts'
export type { CheckPath, EscapeKey, InputAt, Leaf, LeafPath, Path, PathSegments, ValueAt } from './paths.ts'
export type {
  JsonSchema,
  JsonSchemaObject,
  JsonType,
  MigrationContext,
  MigrationStatement,
  RefusedRow,
  ReferenceAction,
  ReferenceInput,
  SchemaInput,
  TableInput,
  WideSchemaInput,
} from './schema-input.ts'
export type {
  CheckPathOf,
  InputOf,
  InsertOf,
  KeyOf,
  LeafPathOf,
  LooseRow,
  OrderByOf,
  PatchOf,
  PathOf,
  RowOf,
  SchemaOf,
  SingletonName,
  TableName,
  ValueOf,
  WhereOf,
} from './tables.ts'
export type {
  Condition,
  EqualityOperators,
  Operators,
  OrderBy,
  OrderKey,
  OrderOperators,
  PresenceOperators,
  TextOperators,
  Where,
} from './where.ts'
