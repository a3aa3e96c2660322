// SPDX-License-Identifier: Apache-2.0

import AWSCore

/// What the variables and shared files say, for each profile that configuration names.
struct ClientEnvironments: Sendable {
  let shared: AWSEnvironment
  private let s3: AWSEnvironment
  private let glue: AWSEnvironment
  private let dynamoDB: AWSEnvironment

  init(
    variables: [String: String], client: AwsClientProperties, files: S3FileIOProperties, instanceRegion: String?,
    readFile: (String) throws(AWSError) -> [UInt8]?
  ) throws(PropertyError) {
    func environment(_ candidates: [(name: String?, source: String)]) throws(PropertyError) -> AWSEnvironment {
      var profile: (name: String, source: String)?
      for candidate in candidates {
        if profile == nil, let name = candidate.name { profile = (name, candidate.source) }
      }
      do throws(AWSError) {
        var environment = try AWSEnvironment(variables: variables, profile: profile, readFile: readFile)
        environment.instanceRegion = instanceRegion
        return environment
      } catch {
        throw PropertyError(key: profile?.source ?? "", message: error.message)
      }
    }
    let common = (name: client.profileName, source: "client.profile-name")
    shared = try environment([common])
    s3 = try environment([(files.profileName, "s3.profile-name"), common])
    glue = try environment([(client.glue.profileName, "glue.profile-name"), common])
    // PyIceberg has no fall-back here. Source: spec/properties.md §7.2.
    dynamoDB = try environment([(client.dynamoDB.profileName, "dynamodb.profile-name")])
  }

  func environment(of service: AWSService) -> AWSEnvironment {
    switch service {
    case .s3: s3
    case .glue: glue
    case .dynamodb: dynamoDB
    default: shared
    }
  }
}
