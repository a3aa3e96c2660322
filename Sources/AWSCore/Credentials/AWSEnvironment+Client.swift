// SPDX-License-Identifier: Apache-2.0

/// Client settings that variables and the profile decide (spec: clients.md §7, §9).
extension AWSEnvironment {
  /// The custom endpoint of a service with the name of where it stands; nil for the service's own host.
  ///
  /// - Parameter property: an Iceberg property (`s3.endpoint`) and its value; it wins, and is the only one that
  ///   `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` does not switch off.
  package func endpointURL(
    for service: AWSService, property: (name: String, value: String?)? = nil
  ) -> (url: String, source: String)? {
    if let property, let value = property.value, !value.isEmpty { return (value, property.name) }
    let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") ?? profileValue("ignore_configured_endpoint_urls")
    if Self.isTrue(ignored) { return nil }
    let specific = "AWS_ENDPOINT_URL_\(service.environmentSuffix)"
    if let url = variable(specific) { return (url, specific) }
    if let url = variable("AWS_ENDPOINT_URL") { return (url, "AWS_ENDPOINT_URL") }
    if let block = profileValue("services"),
      let url = files.services[block]?.blocks[service.configurationBlock]?["endpoint_url"], !url.isEmpty
    {
      return (url, "endpoint_url of \(service.configurationBlock) in [services \(block)] of \(configPath)")
    }
    if let url = profileValue("endpoint_url") { return (url, "endpoint_url of profile \(profileName)") }
    return nil
  }

  /// Endpoint settings of a service: custom endpoint, FIPS and dual-stack. Callers add the S3 properties.
  package func endpointSettings(
    for service: AWSService, property: (name: String, value: String?)? = nil
  ) -> EndpointSettings {
    let custom = endpointURL(for: service, property: property)
    return EndpointSettings(
      customEndpoint: custom?.url, customEndpointSource: custom?.source ?? "endpoint",
      usesFIPS: Self.isTrue(variable("AWS_USE_FIPS_ENDPOINT") ?? profileValue("use_fips_endpoint")),
      usesDualStack: Self.isTrue(variable("AWS_USE_DUALSTACK_ENDPOINT") ?? profileValue("use_dualstack_endpoint")))
  }

  /// The retry policy of a client that has no policy of its own.
  ///
  /// - Parameters:
  ///   - mode: a property's mode; else `AWS_RETRY_MODE`, the profile's `retry_mode`, else `standard`. Unknown names are an error.
  ///   - maxAttempts: a property's number of sends; else `AWS_MAX_ATTEMPTS`, `max_attempts`, else the mode's own.
  package func retryPolicy(mode: String? = nil, maxAttempts: Int? = nil) throws(AWSError) -> RetryPolicy {
    let modeName = (mode ?? variable("AWS_RETRY_MODE") ?? profileValue("retry_mode") ?? "standard").lowercased()
    var policy: RetryPolicy
    switch modeName {
    case "standard": policy = .standard()
    case "adaptive": policy = .adaptive()
    case "legacy": policy = .legacy()
    default: throw .configuration("Retry mode `\(modeName)` is unknown; write standard, adaptive or legacy")
    }
    if let maxAttempts {
      policy.maxAttempts = max(1, maxAttempts)
    } else if let text = variable("AWS_MAX_ATTEMPTS") ?? profileValue("max_attempts") {
      guard let number = Int(text), number >= 1 else {
        throw .configuration("AWS_MAX_ATTEMPTS / max_attempts `\(text)` is not a number of at least 1")
      }
      policy.maxAttempts = number
    }
    return policy
  }

  /// PEM file of the authorities to trust: `AWS_CA_BUNDLE`, else the profile's `ca_bundle`; nil: the system's.
  package var caBundle: String? {
    variable("AWS_CA_BUNDLE") ?? profileValue("ca_bundle")
  }

  private static func isTrue(_ text: String?) -> Bool {
    text?.lowercased() == "true"
  }
}
