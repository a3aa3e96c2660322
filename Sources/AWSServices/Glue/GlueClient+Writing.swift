// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import WireFormats

/// The calls that change the catalog. Source: spec/glue.md §1, §4, §9, §14.
///
/// None is safe to be taken at its word after a second send: an error may then stem from the first, which was done.
extension GlueClient {
  /// GetTable with what a change of the entry needs. Throws code `EntityNotFoundException` if there is none, or no such database.
  package func getTableDefinition(databaseName: String, name: String) async throws(AWSError) -> GlueTableDefinition {
    let call = try await call("GetTable", [("DatabaseName", .string(databaseName)), ("Name", .string(name))])
    guard let definition = call.document.root["Table"].flatMap(GlueTableDefinition.init) else { throw call.malformed("Table") }
    return definition
  }

  /// CreateDatabase. Throws code `AlreadyExistsException` if there is one.
  package func createDatabase(
    name: String, description: String?, locationURI: String?, parameters: [String: String]
  ) async throws(AWSError) {
    var input: [JSONMembers.Member] = [("Name", .string(name))]
    if let description { input.append(("Description", .string(description))) }
    if let locationURI { input.append(("LocationUri", .string(locationURI))) }
    input.append(("Parameters", GlueTableInput.object(parameters)))
    _ = try await call("CreateDatabase", [("DatabaseInput", .object(JSONMembers(input)))])
  }

  /// DeleteDatabase, with every table in it. Throws code `EntityNotFoundException` if there is none.
  package func deleteDatabase(name: String) async throws(AWSError) {
    _ = try await call("DeleteDatabase", [("Name", .string(name))])
  }

  /// CreateTable. Throws code `AlreadyExistsException` if there is one, `EntityNotFoundException` if there is no such database.
  package func createTable(databaseName: String, input: GlueTableInput) async throws(AWSError) {
    _ = try await call("CreateTable", [("DatabaseName", .string(databaseName)), ("TableInput", input.json)])
  }

  /// CreateTable with what another entry holds. Returns the number of sends: after more than one, an earlier may still arrive.
  package func createTable(databaseName: String, name: String, copying entry: GlueTableCopy) async throws(AWSError) -> Int {
    try await call("CreateTable", [("DatabaseName", .string(databaseName)), ("TableInput", entry.json(renamed: name))]).attempts
  }

  /// UpdateTable.
  ///
  /// - Parameters:
  ///   - skipsArchive: whether the service keeps no copy of the entry as it was.
  ///   - versionID: the entry's, which must not have moved; else code `ConcurrentModificationException`.
  package func updateTable(
    databaseName: String, input: GlueTableInput, skipsArchive: Bool, versionID: String
  ) async throws(AWSError) {
    try await updateTable(databaseName, input.json, skipsArchive, versionID)
  }

  /// UpdateTable with the entry as it stands, but for its parameters.
  ///
  /// - Parameters:
  ///   - parameters: the new ones; nil for those of `entry`.
  ///   - skipsArchive: as above.
  ///   - versionID: as above.
  package func updateTable(
    databaseName: String, name: String, copying entry: GlueTableCopy, parameters: [String: String]?, skipsArchive: Bool, versionID: String
  ) async throws(AWSError) {
    try await updateTable(databaseName, entry.json(name: name, parameters: parameters), skipsArchive, versionID)
  }

  private func updateTable(
    _ database: String, _ input: JSONValue, _ skipsArchive: Bool, _ versionID: String
  ) async throws(AWSError) {
    _ = try await call(
      "UpdateTable",
      [
        ("DatabaseName", .string(database)), ("TableInput", input), ("SkipArchive", .bool(skipsArchive)),
        ("VersionId", .string(versionID)),
      ])
  }

  /// DeleteTable, whatever version it is. Throws code `EntityNotFoundException` if there is none.
  package func deleteTable(databaseName: String, name: String) async throws(AWSError) {
    _ = try await call("DeleteTable", [("DatabaseName", .string(databaseName)), ("Name", .string(name))])
  }
}
