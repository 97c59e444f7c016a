import Foundation
import Testing

/// OAuth server-to-server with the simulator's token endpoint, and the secrecy of credentials.
@Suite("Signing in")
struct SignInTests {
    private static let secrets = ["s3cr3t-of-the-client", "t0ken-that-nobody-sees", "k3y-that-nobody-sees"]

    @Test("no output and no file contains a token, key or client secret, even at log level trace")
    func nothingLeaks() async throws {
        let world = try await World(flows: 2, windows: 3, "--fault", "500-after:0.3", "--fault", "401-before@2")
        for environment in [
            ["SLUICE_ACCESS_TOKEN": Self.secrets[1], "SLUICE_API_KEY": Self.secrets[2]],
            [
                "SLUICE_CLIENT_ID": Self.secrets[2], "SLUICE_CLIENT_SECRET": Self.secrets[0],
                "SLUICE_SCOPES": "openid,AdobeID", "SLUICE_TOKEN_URL": world.simulator.address + "/ims/token/v3",
            ],
        ] {
            var user = world.user
            user.environment = environment
            try await user.run(World.apply + ["--log-level", "trace"])
            try await user.run(World.apply + ["--log-level", "trace", "--format", "json"])
            try await user.run("plan", "flows.yaml", "target.yaml", "--out", "plan.json")
            try await user.run("history", "flows.yaml", "target.yaml", "--requests")
        }
        try await world.expectOnceEach()
        try await world.simulator.stop()
        var searched = 0
        let files = try #require(FileManager.default.enumerator(at: world.user.folder, includingPropertiesForKeys: nil))
        while let file = files.nextObject() as? URL {
            guard let bytes = try? Data(contentsOf: file) else { continue }
            searched += 1
            for secret in Self.secrets {
                #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(secret) is in \(file.lastPathComponent)")
            }
        }
        #expect(searched > 10)
        world.user.remove()
    }

    @Test("a wrong secret exits with 77 and the service's message; the right one renews its token when it expires")
    func secrets() async throws {
        var user = try Program()
        user.environment = [
            "SLUICE_CLIENT_ID": "0f3a9d11", "SLUICE_CLIENT_SECRET": Self.secrets[0], "SLUICE_SCOPES": "openid",
        ]
        try user.write(Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 12)]), to: "flows.yaml")
        try user.write(Fixture.target(), to: "target.yaml")
        let simulator = try await SimulatorProcess(
            user, ["flows.yaml", "target.yaml", "--require-sign-in", "--token-lifetime", "PT1S"])
        let limits = World.quickLimits.replacing("requestsPerSecond: 1000", with: "requestsPerSecond: 5")
        try user.write(Fixture.target(service: simulator.address, limits: limits), to: "target.yaml")
        user.environment["SLUICE_TOKEN_URL"] = simulator.address + "/ims/token/v3"

        var stranger = user
        stranger.environment["SLUICE_CLIENT_SECRET"] = "wrong-" + Self.secrets[1]
        let refused = try await stranger.run(World.apply)
        #expect(refused.status == 77)
        #expect(refused.errors.contains("invalid client_secret parameter"))
        #expect(!refused.errors.contains(Self.secrets[1]))

        let result = try await user.run(World.apply)
        #expect(result.status == 0, "\(result.errors)")
        let counts = try await simulator.statistics()
        #expect(counts.runsTaken == 12)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(counts.requests.filter { $0.key.contains("token") }.values.reduce(0, +) > 2)
        try await simulator.stop()
        user.remove()
    }

    @Test("plain HTTP to another machine is rejected before a request is sent")
    func insecure() async throws {
        var user = try Program()
        defer { user.remove() }
        user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        try user.write(Fixture.target(service: "http://flowservice.invalid"), to: "target.yaml")
        try user.write(Fixture.manifest([Fixture.flow()]), to: "flows.yaml")
        let result = try await user.run(World.apply)
        #expect(result.status == 78)
        #expect(result.errors.contains("http"))
    }
}
