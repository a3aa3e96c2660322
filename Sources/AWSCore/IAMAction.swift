// SPDX-License-Identifier: Apache-2.0

/// The permission that a call needs, by its name in IAM policies.
enum IAMAction {
  /// Calls that S3 has other names for than IAM.
  private static let s3: [String: String] = [
    "HeadObject": "s3:GetObject", "HeadBucket": "s3:ListBucket", "ListObjectsV2": "s3:ListBucket", "DeleteObjects": "s3:DeleteObject",
    "CreateMultipartUpload": "s3:PutObject", "UploadPart": "s3:PutObject", "UploadPartCopy": "s3:PutObject, s3:GetObject of the source",
    "CompleteMultipartUpload": "s3:PutObject", "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "CreateSession": "s3express:CreateSession",
  ]

  private static let prefixes = ["Glue": "glue", "DynamoDB": "dynamodb", "STS": "sts", "LakeFormation": "lakeformation", "S3": "s3"]

  /// - Parameter operation: as metrics name it: `Glue.GetTables`. Nil for a service without permissions of its own.
  static func name(of operation: String) -> String? {
    let parts = operation.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, let prefix = prefixes[parts[0]] else { return nil }
    if parts[0] == "S3", let name = s3[parts[1]] { return name }
    // A transaction is allowed by the permissions of its parts.
    if parts == ["DynamoDB", "TransactWriteItems"] { return "dynamodb:PutItem, dynamodb:DeleteItem, dynamodb:UpdateItem" }
    return "\(prefix):\(parts[1])"
  }
}
