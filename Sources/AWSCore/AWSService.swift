// SPDX-License-Identifier: Apache-2.0

/// One AWS service as far as addressing, signing and decoding go (spec: clients.md §7, §10).
package struct AWSService: Sendable, Hashable {
  /// How requests and errors of a service look on the wire.
  package enum Wire: Sendable, Hashable {
    case restXML
    case json
    case restJSON
    case query
  }

  /// For messages: "S3", "Glue".
  package var name: String
  /// The first label of the service's host: "glue".
  package var hostLabel: String
  /// The service in a signature's scope.
  package var signingName: String
  /// The end of `AWS_ENDPOINT_URL_…`.
  package var environmentSuffix: String
  /// The block's name in a profile's `services` section.
  package var configurationBlock: String
  package var wire: Wire

  package init(
    name: String, hostLabel: String, signingName: String, environmentSuffix: String, configurationBlock: String, wire: Wire
  ) {
    self.name = name
    self.hostLabel = hostLabel
    self.signingName = signingName
    self.environmentSuffix = environmentSuffix
    self.configurationBlock = configurationBlock
    self.wire = wire
  }

  package static let s3 = AWSService(
    name: "S3", hostLabel: "s3", signingName: "s3", environmentSuffix: "S3", configurationBlock: "s3", wire: .restXML)
  package static let s3Control = AWSService(
    name: "S3 Control", hostLabel: "s3-control", signingName: "s3", environmentSuffix: "S3_CONTROL", configurationBlock: "s3_control",
    wire: .restXML)
  package static let glue = AWSService(
    name: "Glue", hostLabel: "glue", signingName: "glue", environmentSuffix: "GLUE", configurationBlock: "glue", wire: .json)
  package static let dynamodb = AWSService(
    name: "DynamoDB", hostLabel: "dynamodb", signingName: "dynamodb", environmentSuffix: "DYNAMODB", configurationBlock: "dynamodb",
    wire: .json)
  package static let sts = AWSService(
    name: "STS", hostLabel: "sts", signingName: "sts", environmentSuffix: "STS", configurationBlock: "sts", wire: .query)
  package static let lakeFormation = AWSService(
    name: "Lake Formation", hostLabel: "lakeformation", signingName: "lakeformation", environmentSuffix: "LAKEFORMATION",
    configurationBlock: "lakeformation", wire: .restJSON)
  /// The portal of IAM Identity Center, which gives keys for its tokens.
  static let sso = AWSService(
    name: "IAM Identity Center", hostLabel: "portal.sso", signingName: "awsssoportal", environmentSuffix: "SSO", configurationBlock: "sso",
    wire: .restJSON)
  /// Where the tokens of IAM Identity Center are renewed.
  static let ssoOIDC = AWSService(
    name: "IAM Identity Center OIDC", hostLabel: "oidc", signingName: "sso-oauth", environmentSuffix: "SSO_OIDC",
    configurationBlock: "sso_oidc", wire: .restJSON)
  package static let kms = AWSService(
    name: "KMS", hostLabel: "kms", signingName: "kms", environmentSuffix: "KMS", configurationBlock: "kms", wire: .json)
}
