import Foundation
import Testing

/// Variables that are not credentials.
@Suite("Variables that begin with SLUICE_", .timeLimit(.minutes(1)))
struct VariableTests {
    @Test(
        "only credentials must fit into a header",
        arguments: [
            ["SLUICE_AUTHOR": "Zoë Ångström"], ["SLUICE_ANYTHING": String(repeating: "x", count: 20_000)],
            ["SLUICE_CI_RUN": "https://ci.example/lauf-nächtlich"],
        ])
    func others(variables: [String: String]) async throws {
        var world = try await World(flows: 1, windows: 1)
        world.user.environment.merge(variables) { $1 }
        let result = try await world.apply()
        #expect(result.status == 0, "\(result.errors)")
        if let author = variables["SLUICE_AUTHOR"] {
            #expect(try await world.run("history", more: ["--format", "json"]).output.contains(author))
        }
        world.user.environment["SLUICE_API_KEY"] = "kéy"
        let refused = try await world.run("refresh")
        #expect(refused.status == 78 && refused.errors.contains("SLUICE_API_KEY"), "\(refused.errors)")
        try await world.end()
    }
}
