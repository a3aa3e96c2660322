// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Telemetry
import Testing

@testable import Configuration

/// A machine in memory: files, variables, options.
struct Machine {
  var files: [String: String] = [:]
  var environment: [String: String] = [:]
  var properties: [String] = []
  var propertiesFile: String?
  var configFile: String?

  /// One with `~/.pyiceberg.yaml` holding a catalog `lake`.
  static func lake(_ lines: String...) -> Machine {
    Machine(files: ["/home/u/.pyiceberg.yaml": "catalog:\n  lake:\n" + lines.map { "    \($0)\n" }.joined()])
  }

  func load(_ catalog: String = "lake") throws(ConfigurationError) -> CatalogConfiguration {
    let files = files
    var inputs = ConfigurationInputs(
      environment: environment, homeDirectory: "/home/u", workingDirectory: "/work dir",
      readFile: { path throws(ConfigurationError) in files[path].map { Array($0.utf8) } })
    inputs.properties = properties
    inputs.propertiesFile = propertiesFile
    inputs.configFile = configFile
    return try CatalogConfiguration.load(catalog, from: inputs)
  }

  func message(_ catalog: String = "lake") -> String {
    do throws(ConfigurationError) {
      _ = try load(catalog)
      return "no error"
    } catch {
      return error.message
    }
  }
}

@Suite("Sources of a configuration")
struct ConfigurationSourceTests {
  private let yaml = "catalog:\n  lake:\n    type: glue\n    client.region: from-yaml\n"

  @Test("By key, the command line wins over the file, the environment, and the YAML; what only one says is kept")
  func order() throws {
    var machine = Machine(files: ["/home/u/.pyiceberg.yaml": yaml, "/p": "client.region=from-file\nglue.id=7\n"])
    #expect(try machine.load().properties.string("client.region") == "from-yaml")
    machine.environment["PYICEBERG_CATALOG__LAKE__CLIENT__REGION"] = "from-env"
    #expect(try machine.load().properties.string("client.region") == "from-env")
    machine.propertiesFile = "/p"
    #expect(try machine.load().properties.string("client.region") == "from-file")
    machine.properties = ["client.region=first", "client.region=from-line"]
    let configuration = try machine.load()
    #expect(configuration.properties.string("client.region") == "from-line")
    #expect(configuration.properties.string("glue.id") == "7")
    #expect(
      configuration.configured.map(\.description) == [
        "client.region=from-line (--property)", "glue.id=7 (/p:2)", "type=glue (/home/u/.pyiceberg.yaml:3)",
      ])
  }

  @Test("The environment names its variable as the source")
  func environment() throws {
    let machine = Machine(environment: ["PYICEBERG_CATALOG__LAKE__TYPE": "glue"])
    #expect(try machine.load("Lake").configured.map(\.origin) == ["environment PYICEBERG_CATALOG__LAKE__TYPE"])
  }

  @Test("PYICEBERG_HOME comes before home, home before the working directory, and only one file is read")
  func search() throws {
    var machine = Machine(files: ["/work dir/.pyiceberg.yaml": yaml])
    #expect(try machine.load().configured.last?.source == .yamlFile(path: "/work dir/.pyiceberg.yaml", line: 3))
    machine.files["/home/u/.pyiceberg.yaml"] = yaml
    #expect(try machine.load().configured.last?.source == .yamlFile(path: "/home/u/.pyiceberg.yaml", line: 3))
    machine.files["/x/.pyiceberg.yaml"] = "catalog:\n  other:\n    type: glue\n"
    machine.environment["PYICEBERG_HOME"] = "/x"
    #expect(machine.message().contains("/x/.pyiceberg.yaml (other)"))
    machine.files["/work dir/mine.yaml"] = yaml
    machine.configFile = "mine.yaml"
    #expect(try machine.load().catalogType == .glue)
  }

  @Test("Prefixes of Spark are stripped, Spark's other settings ignored")
  func spark() throws {
    let text = """
      spark.sql.catalog.lake org.apache.iceberg.spark.SparkCatalog
      spark.sql.catalog.lake.type    glue
      spark.sql.catalog.lake.s3.endpoint = http://127.0.0.1:9
      spark.sql.catalog.other.type = hive
      spark.executor.memory 4g
      """
    let machine = Machine(files: ["/p": text], propertiesFile: "/p")
    let configuration = try machine.load()
    #expect(configuration.properties.values == ["type": "glue", "s3.endpoint": "http://127.0.0.1:9", "s3.path-style-access": "true"])
    #expect(configuration.warnings.isEmpty)
    #expect(machine.message("missing").contains("/p (lake, other)"))
  }

  @Test("A catalog that nobody knows is an error that says where was looked and what is there")
  func unknown() {
    var machine = Machine(files: ["/home/u/.pyiceberg.yaml": yaml], environment: ["PYICEBERG_CATALOG__PROD__TYPE": "glue"])
    #expect(
      machine.message("my-lake")
        == "no catalog is named \"my-lake\"; looked in environment PYICEBERG_CATALOG__MY_LAKE__* (prod); /home/u/.pyiceberg.yaml (lake); "
        + "name one of these, or give its properties with --property or --properties")
    machine.files = [:]
    #expect(machine.message("x").contains("/home/u/.pyiceberg.yaml, /work dir/.pyiceberg.yaml (not there)"))
  }

  @Test("A file that is named and absent, and an option without =, are one sentence")
  func absent() {
    #expect(Machine(propertiesFile: "/nope").message() == "/nope: no such file (--properties)")
    #expect(Machine(configFile: "nope").message() == "/work dir/nope: no such file (--config)")
    #expect(Machine(properties: ["type"]).message().hasPrefix("--property takes key=value"))
    #expect(Machine(properties: ["=x"]).message().hasPrefix("--property takes key=value"))
  }

  @Test("Groups and lists under a catalog are errors that name file and line")
  func shapes() {
    #expect(
      Machine.lake("type: glue", "s3:", "  endpoint: x").message()
        == "/home/u/.pyiceberg.yaml:5: s3 holds a group of settings; write flat keys as s3.endpoint")
    #expect(Machine.lake("type:", "  - glue").message().hasPrefix("/home/u/.pyiceberg.yaml:4: type holds a list"))
    #expect(
      Machine(files: ["/home/u/.pyiceberg.yaml": "catalog: x\n"]).message()
        == "/home/u/.pyiceberg.yaml:1: catalog must hold the catalogs by name")
    #expect(
      Machine(files: ["/home/u/.pyiceberg.yaml": "catalog:\n  lake: x\n"]).message()
        == "/home/u/.pyiceberg.yaml:2: catalog lake must hold properties as key: value")
  }

  @Test("An empty value of a PyIceberg source counts as not set")
  func empty() throws {
    var machine = Machine.lake("type: glue", "s3.endpoint: ''", "s3.anonymous:")
    #expect(try machine.load().properties.values == ["type": "glue"])
    machine.environment["PYICEBERG_CATALOG__LAKE__TYPE"] = ""
    #expect(machine.message() == "catalog lake does not say its type: set type=glue or type=dynamodb")
  }
}

@Suite("Meaning of a configuration")
struct ConfigurationMeaningTests {
  @Test("type, catalog-type and catalog-impl name the metastore")
  func type() throws {
    #expect(try Machine.lake("type: GLUE").load().properties.string("type") == "glue")
    #expect(try Machine.lake("catalog-type: glue").load().catalogType == .glue)
    let implementation = try Machine.lake("catalog-impl: \(CatalogKeys.dynamoDbCatalogClass)", "warehouse: s3://b/w").load()
    #expect(implementation.catalogType == .dynamodb)
    #expect(implementation.configured.first?.description == "type=dynamodb (/home/u/.pyiceberg.yaml:3 as catalog-impl)")
  }

  @Test(
    "Configurations that cannot work are refused in one sentence",
    arguments: [
      (["warehouse: s3://b"], "catalog lake does not say its type: set type=glue or type=dynamodb"),
      (["type: hive"], "type=hive (/home/u/.pyiceberg.yaml:3): BergFS mounts glue and dynamodb catalogs only"),
      (["type: dynamodb"], "Cannot initialize DynamoDbCatalog because warehousePath must not be null or empty"),
      (
        ["type: glue", "catalog-impl: \(CatalogKeys.glueCatalogClass)"],
        "Cannot create catalog lake, both type and catalog-impl are set"
      ),
      (["catalog-impl: a.B"], "catalog-impl=a.B (/home/u/.pyiceberg.yaml:3): Cannot initialize Catalog implementation a.B"),
      (["type: glue", "s3.path-style-access: maybe"], "s3.path-style-access=maybe (/home/u/.pyiceberg.yaml:4): true or false is expected"),
      (["type: glue", "s3.retry.num-retries: many"], "s3.retry.num-retries=many (/home/u/.pyiceberg.yaml:4): a whole number"),
      (["type: glue", "s3.retry.num-retries: -1"], "s3.retry.num-retries=-1 (/home/u/.pyiceberg.yaml:4): the number must not be negative"),
      (["type: glue", "s3.endpoint: localhost:9000"], "s3.endpoint=localhost:9000 (/home/u/.pyiceberg.yaml:4): an address as http://"),
      (["type: glue", "glue.endpoint: http://"], "glue.endpoint=http:// (/home/u/.pyiceberg.yaml:4): an address as http://"),
      (["type: glue", "s3.acl: open"], "s3.acl=open (/home/u/.pyiceberg.yaml:4): Cannot support S3 CannedACL open"),
      (
        ["type: glue", "http-client.type: netty"], "http-client.type=netty (/home/u/.pyiceberg.yaml:4): Unrecognized HTTP client type netty"
      ),
      (["type: glue", "s3.signer: Mine"], "s3.signer=Mine (/home/u/.pyiceberg.yaml:4): Signer not available: Mine"),
      (["type: glue", "s3.delete.batch-size: 1001"], "s3.delete.batch-size=1001 (/home/u/.pyiceberg.yaml:4): Deletion batch size must be"),
      (["type: glue", "client.factory: a.B"], "client.factory=a.B (/home/u/.pyiceberg.yaml:4): Cannot initialize AwsClientFactory"),
      (
        ["type: glue", "client.credentials-provider: a.B"],
        "client.credentials-provider=a.B (/home/u/.pyiceberg.yaml:4): Cannot load class a.B"
      ),
      (
        ["type: glue", "s3.access-key-id: a"],
        "S3 client access key ID and secret access key must be set at the same time: s3.access-key-id"
      ),
      (
        ["type: glue", "client.secret-access-key: a"],
        "AWS client access key ID and secret access key must be set at the same time: client.secret"
      ),
      (
        ["type: glue", "s3.endpoint: http://h", "s3.dualstack-enabled: true"], "Cannot set dual-stack in combination with a custom endpoint"
      ),
      (
        ["type: glue", "s3.path-style-access: true", "s3.acceleration-enabled: on"],
        "Path-style addressing cannot be used with S3 Accelerate"
      ),
      (["type: glue", "s3.sse.type: custom"], "Cannot initialize SSE-C S3FileIO with null encryption key: "),
      (["type: glue", "s3.sse.type: custom", "s3.sse.key: k"], "Cannot initialize SSE-C S3FileIO with null encryption key MD5: "),
      (["type: glue", "s3.sse.type: best"], "s3.sse.type=best (/home/u/.pyiceberg.yaml:4): Cannot support given S3 encryption type: best"),
    ])
  func refusals(lines: [String], beginning: String) {
    let message = Machine(files: ["/home/u/.pyiceberg.yaml": "catalog:\n  lake:\n" + lines.map { "    \($0)\n" }.joined()]).message()
    #expect(message.hasPrefix(beginning), "\(message)")
    #expect(!message.contains("\n"))
  }

  @Test("yes and 1 are booleans in PyIceberg's sources only")
  func booleans() throws {
    #expect(try Machine.lake("type: glue", "s3.anonymous: Yes").load().properties.values["s3.anonymous"] == "true")
    #expect(try Machine.lake("type: glue", "s3.anonymous: 0").load().properties.boolean("s3.anonymous") == false)
    #expect(Machine(properties: ["type=glue", "s3.anonymous=yes"]).message() == "s3.anonymous=yes (--property): true or false is expected")
    #expect(try Machine(properties: ["type=glue", "s3.anonymous=TRUE"]).load().properties.boolean("s3.anonymous") == true)
  }

  @Test("PyIceberg's keys become Iceberg's own, and messages keep the source's spelling")
  func aliases() throws {
    let configuration = try Machine.lake(
      "type: dynamodb", "warehouse: s3://b/w", "table-name: t", "s3.resolve-region: on", "s3.signer: S3V4RestSigner",
      "s3.server-side-encryption: aws:kms", "s3.sse-kms-key-id: k", "glue.region: r"
    ).load()
    #expect(
      configuration.properties.values == [
        "type": "dynamodb", "warehouse": "s3://b/w", "dynamodb.table-name": "t", "s3.cross-region-access-enabled": "true",
        "s3.remote-signing-enabled": "true", "s3.sse.type": "kms", "s3.sse.key": "k", "glue.region": "r",
      ])
    #expect(configuration.configured.first { $0.key == "dynamodb.table-name" }?.origin == "/home/u/.pyiceberg.yaml:5 as table-name")
    #expect(try Machine.lake("type: glue", "table-name: t").load().properties.values["table-name"] == "t")
  }

  @Test("Between an alias and the key itself the higher source wins, and the key itself within one source")
  func aliasOrder() throws {
    var machine = Machine.lake("type: dynamodb", "warehouse: s3://b", "table-name: a", "dynamodb.table-name: b")
    #expect(try machine.load().properties.string("dynamodb.table-name") == "b")
    machine.properties = ["table-name=c"]
    #expect(try machine.load().properties.string("dynamodb.table-name") == "c")
  }

  @Test(
    "Path style follows PyIceberg for its sources and for local hosts, unless a key says otherwise",
    arguments: [
      (["s3.endpoint: https://minio.example"], [], "true"),
      (["s3.endpoint: https://minio.example", "s3.force-virtual-addressing: true"], [], "false"),
      (["s3.endpoint: https://minio.example", "s3.force-virtual-addressing: false"], [], "true"),
      (["s3.endpoint: https://minio.example", "s3.path-style-access: false"], [], "false"),
      ([], ["s3.endpoint=https://minio.example"], nil),
      ([], ["s3.endpoint=http://localhost:9000"], "true"),
      ([], ["s3.endpoint=http://127.0.0.1:9000/base"], "true"),
      ([], ["s3.endpoint=http://[::1]:9000"], "true"),
      ([], ["s3.endpoint=http://localhost:9000", "s3.path-style-access=false"], "false"),
      (["s3.force-virtual-addressing: true"], ["s3.path-style-access=true"], "true"),
      (["s3.region: r"], [], nil),
    ] as [([String], [String], String?)])
  func addressing(lines: [String], properties: [String], expected: String?) throws {
    var machine = Machine(files: ["/home/u/.pyiceberg.yaml": "catalog:\n  lake:\n    type: glue\n" + lines.map { "    \($0)\n" }.joined()])
    machine.properties = properties
    #expect(try machine.load().properties.values["s3.path-style-access"] == expected)
  }

  @Test("A local AWS_ENDPOINT_URL means path style too, unless it is ignored")
  func environmentEndpoint() throws {
    var machine = Machine.lake("type: glue")
    machine.environment = ["AWS_ENDPOINT_URL": "http://127.0.0.1:4566"]
    #expect(try machine.load().properties.boolean("s3.path-style-access") == true)
    machine.environment["AWS_ENDPOINT_URL_S3"] = "https://s3.example"
    #expect(try machine.load().properties.boolean("s3.path-style-access") == nil)
    machine.environment = ["AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]
    #expect(try machine.load().properties.boolean("s3.path-style-access") == nil)
  }

  @Test("Unknown, removed, idle and exposed keys are warned of by name; defaults written out are not")
  func warnings() throws {
    var machine = Machine.lake(
      "type: glue", "s3.endpiont: x", "region_name: r", "glue.account-id: 1", "s3.delete.batch-size: 250", "s3.crt.enabled: false",
      "client.factory: \(AwsKeys.assumeRoleFactoryClass)", "nothing.like.this: x")
    machine.properties = ["s3.access-key-id=a", "s3.secret-access-key=hidden"]
    let warnings = try machine.load().warnings
    #expect(
      warnings.map { "\($0.kind.rawValue) \($0.key)" } == [
        "unknownKey nothing.like.this", "removed region_name", "notApplicable s3.crt.enabled", "unknownKey s3.endpiont",
        "exposedSecret s3.secret-access-key",
      ])
    #expect(warnings[3].message == "s3.endpiont (/home/u/.pyiceberg.yaml:4) is not a known property: did you mean s3.endpoint?")
    #expect(!warnings.contains { $0.message.contains("hidden") })
  }

  @Test("A role that no factory assumes is warned of", arguments: [nil, AwsKeys.defaultFactoryClass, AwsKeys.assumeRoleFactoryClass])
  func idleRole(factory: String?) throws {
    var lines = ["type: glue", "client.assume-role.arn: arn:aws:iam::1:role/r", "client.assume-role.region: eu-west-1"]
    if let factory { lines.append("client.factory: \(factory)") }
    let machine = Machine(files: ["/home/u/.pyiceberg.yaml": "catalog:\n  lake:\n" + lines.map { "    \($0)\n" }.joined()])
    let isAssumed = factory == AwsKeys.assumeRoleFactoryClass
    #expect(try machine.load().warnings.map(\.key) == (isAssumed ? [] : ["client.assume-role.arn"]))
  }

  @Test("No text made of a configuration shows a secret")
  func masks() throws {
    var machine = Machine.lake(
      "type: glue", "client.access-key-id: AKIA", "client.secret-access-key: hidden1", "s3.proxy-uri: http://u:hidden2@h")
    machine.properties = ["s3.session-token=hidden3", "my-token=hidden4"]
    let configuration = try machine.load()
    var dumped = ""
    dump(configuration, to: &dumped)
    dump(configuration.configured, to: &dumped)
    dump(configuration.properties, to: &dumped)
    let texts = [
      configuration.listing(includingDefaults: true), "\(configuration)", String(reflecting: configuration), dumped,
      "\(configuration.configured)", "\(configuration.warnings)",
    ]
    for text in texts { #expect(!text.contains("hidden"), "\(text)") }
    #expect(configuration.listing(includingDefaults: false).contains("client.secret-access-key = ****"))
    #expect(configuration.properties.secret("client.secret-access-key")?.reveal() == "hidden1")
  }

  @Test("The listing shows value and source, and the defaults when asked")
  func listing() throws {
    let configuration = try Machine.lake("type: glue", "s3.retry.num-retries: 7").load()
    #expect(
      configuration.listing(includingDefaults: false) == """
        s3.retry.num-retries = 7  # /home/u/.pyiceberg.yaml:4
        type = glue               # /home/u/.pyiceberg.yaml:3
        """)
    let all = configuration.listing(includingDefaults: true).split(separator: "\n")
    #expect(all.contains { $0.hasPrefix("s3.retry.min-wait-ms = 2000") && $0.hasSuffix("# default") })
    #expect(all.filter { $0.hasPrefix("s3.retry.num-retries") }.count == 1)
  }
}
