// SPDX-License-Identifier: Apache-2.0

/// Keys of Glue, DynamoDB, KMS and assumed roles. Source: spec/properties.md §2.
package enum AwsKeys {
  package static let glueCatalogID = "glue.id"
  package static let glueSkipArchive = "glue.skip-archive"
  package static let glueSkipNameValidation = "glue.skip-name-validation"
  package static let glueLakeFormationEnabled = "glue.lakeformation-enabled"
  package static let glueEndpoint = "glue.endpoint"
  package static let dynamoDbEndpoint = "dynamodb.endpoint"
  package static let dynamoDbTableName = "dynamodb.table-name"
  package static let clientFactory = "client.factory"
  package static let assumeRoleArn = "client.assume-role.arn"
  package static let assumeRoleRegion = "client.assume-role.region"
  package static let assumeRoleTagsPrefix = "client.assume-role.tags."

  package static let defaultFactoryClass = "org.apache.iceberg.aws.AwsClientFactories$DefaultAwsClientFactory"
  package static let assumeRoleFactoryClass = "org.apache.iceberg.aws.AssumeRoleAwsClientFactory"
  package static let lakeFormationFactoryClass = "org.apache.iceberg.aws.lakeformation.LakeFormationAwsClientFactory"

  package static let definitions: [PropertyDefinition] = [
    PropertyDefinition(
      glueCatalogID, default: .described("the caller's account"), user: .glue,
      "`CatalogId` of Glue calls: the account that owns the catalog."),
    PropertyDefinition("glue.account-id", user: .glue, "Account in the Glue table's ARN, for Lake Formation."),
    PropertyDefinition(
      glueSkipArchive, type: .boolean, default: "true", user: .glue,
      "Keep no archived version of a table at commit."),
    PropertyDefinition(
      glueSkipNameValidation, type: .boolean, default: "false", user: .glue,
      "Accept names beyond 1-252 (database) or 1-255 (table) characters of lowercase letters, numbers, underscore."),
    PropertyDefinition(
      glueLakeFormationEnabled, type: .boolean, default: "false", user: .glue,
      "Credentials from Lake Formation for the files of each table; makes its class the default of `client.factory`."),
    PropertyDefinition(glueEndpoint, type: .endpoint, user: .glue, "Address of Glue instead of the AWS one."),
    PropertyDefinition(dynamoDbEndpoint, type: .endpoint, user: .dynamodb, "Address of DynamoDB instead of the AWS one."),
    PropertyDefinition(dynamoDbTableName, default: "iceberg", user: .dynamodb, "DynamoDB table that holds the catalog."),
    PropertyDefinition(
      "kms.endpoint", type: .endpoint, user: .kms, status: encryption, "Address of KMS instead of the AWS one."),
    PropertyDefinition(
      "kms.encryption-algorithm-spec",
      type: .choice(["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"], ignoringCase: false),
      default: "SYMMETRIC_DEFAULT", user: .kms, status: encryption, "Algorithm of KMS encryption."),
    PropertyDefinition(
      "kms.data-key-spec", type: .choice(["AES_256", "AES_128"], ignoringCase: false), default: "AES_256", user: .kms,
      status: encryption, "Length of generated data keys."),
    PropertyDefinition(
      clientFactory, type: .className([defaultFactoryClass, assumeRoleFactoryClass, lakeFormationFactoryClass]),
      default: .value(defaultFactoryClass), user: .credentials, status: .mapped("the three classes of Iceberg by name; others are refused"),
      "Java class that makes the AWS clients.", refusal: "Cannot initialize AwsClientFactory, missing no-arg constructor: %s"),
    PropertyDefinition(assumeRoleArn, user: .credentials, status: assumeRole, "Role to assume."),
    PropertyDefinition(assumeRoleRegion, user: .credentials, status: assumeRole, "Region of every client that uses the role."),
    PropertyDefinition(
      "client.assume-role.external-id", user: .credentials, status: assumeRole, "External id of the role, 2-1224 characters."),
    PropertyDefinition(
      "client.assume-role.timeout-sec", type: .int32, default: "3600", user: .credentials, status: assumeRole,
      "Life of the role's credentials, seconds."),
    PropertyDefinition(
      "client.assume-role.session-name", default: .described("`iceberg-aws-<uuid>`"), user: .credentials, status: assumeRole,
      "Name of the role session."),
    PropertyDefinition(
      assumeRoleTagsPrefix, prefixOf: "<tag>", user: .credentials, status: assumeRole,
      "Tag of the role session; `LakeFormationAuthorizedCaller` in any case, as `.pyiceberg.yaml` has no capitals."),
    PropertyDefinition(
      "lakeformation.db-name", user: .credentials, status: lakeFormation, "Database of the Lake Formation table."),
    PropertyDefinition(
      "lakeformation.table-name", user: .credentials, status: lakeFormation, "Name of the Lake Formation table."),
    PropertyDefinition(
      "rest.signing-region", default: .described("region chain"), user: .signer, "Region of SigV4 on REST calls."),
    PropertyDefinition("rest.signing-name", default: "execute-api", user: .signer, "Service of SigV4 on REST calls."),
    PropertyDefinition("rest.access-key-id", user: .signer, "Static key of SigV4 on REST calls."),
    PropertyDefinition("rest.secret-access-key", secret: true, user: .signer, "Static secret key of SigV4 on REST calls."),
    PropertyDefinition("rest.session-token", secret: true, user: .signer, "Static session token of SigV4 on REST calls."),
  ]

  private static let assumeRole = PropertyStatus.mapped("with the factories of roles and of Lake Formation")
  private static let lakeFormation = PropertyStatus.mapped("with Lake Formation's factory; the catalog names the table of each file itself")
  private static let encryption = PropertyStatus.notApplicable(
    "files of encrypted tables are shown as they lie in S3; whoever reads them has the keys")
}
