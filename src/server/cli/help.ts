export const HELP = `rowcast: a sync server for SQLite databases of one schema

Usage:
  rowcast serve --schema schema.json --data ./data [options]
  rowcast serve --schema schema.json --log s3://bucket/prefix [options]
  rowcast serve --schema schema.json --log nats://a,b,c --s3 s3://bucket/prefix [options]

Options of serve:
  --schema FILE        the schema: a .json file, or a .js, .mjs or (from Node 22.18 on) .ts module that exports it
                       (default, or as schema)
  --data DIRECTORY     where the databases lie; made if missing
  --log s3://BUCKET/PREFIX
                       all lies in a bucket instead, which must honour conditional writes; needs the package
                       @aws-sdk/client-s3
  --log nats://A,B,C   the newest lies in streams of NATS JetStream instead, on three servers at least, and all else in
                       the bucket of --s3; needs the packages @nats-io/jetstream and @nats-io/transport-node too.
                       NATS_USER and NATS_PASSWORD, or NATS_TOKEN, in the environment; tls://A,B,C for encryption
  --nats-ca FILE, --nats-cert FILE, --nats-key FILE
                       certificates for it: the authority's, and this server's own
  --relaxed            takes fewer than three servers of NATS: what was acknowledged is lost with one of them
  --shards NUMBER      with --log: how many logs all databases share, fixed with the first start; 16 if not given
  --commit-every MS    with --log: the least time between two appends to one of them; 0 if not given
  --advertise URL      with --log, of several servers: where others reach this one. Each database is looked after by one
                       of them, and the others pass on who comes for it
  --s3 s3://BUCKET/PREFIX
                       with --data: snapshots lie in a bucket; with --log nats://… all but the newest
  --s3-endpoint URL, --s3-region NAME
                       of another store than Amazon's. Credentials are those of the environment
                       (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or of the machine
  --port NUMBER        8787 if not given; 0 for any that is free
  --host ADDRESS       127.0.0.1 if not given; 0.0.0.0 to be reached from other machines
  --auth-secret TEXT   takes JSON Web Tokens signed with this secret, of 32 bytes at least
                       (better in the environment: ROWCAST_AUTH_SECRET)
  --auth-jwks URL      takes JSON Web Tokens of an identity provider, by the URL of its key set
  --auth-audience TEXT, --auth-issuer TEXT
                       what a token's aud and iss must be
  --auth-no-exp        takes tokens without an exp too, which are good for ever
  --permissions FILE   who may see and change what: rules by table, in a .json file or exported by a module;
                       without it whoever is let in may
  --cors ORIGIN        lets pages of another origin in; may be given several times; '*' for all
  --create             makes a database when it is first used, for whoever is let in; without it databases are
                       made by PUT /v1/databases/NAME
  --native-patterns    takes patterns of the schema that can't be matched in linear time (lookahead, for one): a text
                       may then keep the server busy for ever

Without --auth-secret or --auth-jwks everyone who reaches the server may do everything.

  rowcast --help       this text
  rowcast --version    the version
` as const
