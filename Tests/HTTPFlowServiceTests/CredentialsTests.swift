import FlowService
import HTTPFlowService
import Testing

@Suite("Credentials from the environment")
struct CredentialsTests {
    @Test("an access token requires an API key")
    func bearer() throws {
        let both = ["SLUICE_ACCESS_TOKEN": " abc \n", "SLUICE_API_KEY": "key"]
        guard case .bearer(let token, let key) = try Credentials.fromEnvironment(both) else {
            Issue.record("no token")
            return
        }
        #expect((token, key) == ("abc", "key"))
        #expect(throws: CredentialsError.missing(["SLUICE_API_KEY"])) {
            try Credentials.fromEnvironment(["SLUICE_ACCESS_TOKEN": "abc"])
        }
    }

    @Test("a client requires an ID, a secret and scopes, and missing ones are named")
    func client() throws {
        #expect(throws: CredentialsError.missing(["SLUICE_CLIENT_SECRET", "SLUICE_SCOPES"])) {
            try Credentials.fromEnvironment(["SLUICE_CLIENT_ID": "id", "SLUICE_SCOPES": "  "])
        }
        let whole = ["SLUICE_CLIENT_ID": "id", "SLUICE_CLIENT_SECRET": "secret", "SLUICE_SCOPES": "openid"]
        guard case .clientCredentials = try Credentials.fromEnvironment(whole) else {
            Issue.record("no client")
            return
        }
    }

    @Test("without credentials, the error names both kinds")
    func nothing() {
        #expect(throws: CredentialsError.none) { try Credentials.fromEnvironment(["HOME": "/"]) }
        #expect("\(CredentialsError.none)".contains("SLUICE_ACCESS_TOKEN"))
        #expect("\(CredentialsError.none)".contains("SLUICE_CLIENT_SECRET"))
    }

    @Test("a line break within a value is rejected without showing the value")
    func malformed() {
        let error = #expect(throws: CredentialsError.malformed(variable: "SLUICE_ACCESS_TOKEN")) {
            try Credentials.fromEnvironment(["SLUICE_ACCESS_TOKEN": "abc\r\nx: y", "SLUICE_API_KEY": "key"])
        }
        #expect(error?.description.contains("abc") == false)
    }

    @Test(
        "only the credentials in use are checked, each by what it is",
        arguments: [
            ["SLUICE_AUTHOR": "Zoë Ångström"], ["SLUICE_ANYTHING": String(repeating: "x", count: 20_000)],
            ["SLUICE_COMMIT": "two\nlines"], ["SLUICE_CLIENT_SECRET": "a\nb", "SLUICE_SCOPES": "é"],
        ])
    func others(variables: [String: String]) throws {
        let all = ["SLUICE_ACCESS_TOKEN": "abc", "SLUICE_API_KEY": "key"].merging(variables) { $1 }
        guard case .bearer = try Credentials.fromEnvironment(all) else {
            Issue.record("no token")
            return
        }
    }

    @Test("a client secret may have any characters but control characters, since it is sent in a form")
    func secret() throws {
        var client = ["SLUICE_CLIENT_ID": "id", "SLUICE_CLIENT_SECRET": "pässword 🔑", "SLUICE_SCOPES": "openid"]
        guard case .clientCredentials = try Credentials.fromEnvironment(client) else {
            Issue.record("no client")
            return
        }
        client["SLUICE_CLIENT_SECRET"] = "two\nlines"
        #expect(throws: CredentialsError.malformed(variable: "SLUICE_CLIENT_SECRET")) {
            try Credentials.fromEnvironment(client)
        }
        client["SLUICE_CLIENT_SECRET"] = "secret"
        client["SLUICE_CLIENT_ID"] = "ïd"
        #expect(throws: CredentialsError.malformed(variable: "SLUICE_CLIENT_ID")) {
            try Credentials.fromEnvironment(client)
        }
    }

    @Test("no description, dump or reflection shows a value")
    func descriptions() {
        let client = ClientCredentials(id: "the-id", secret: "the-secret", scopes: "the-scope")
        for credentials in [.bearer(token: "the-token", apiKey: "the-key"), .clientCredentials(client)] as [Credentials]
        {
            var dumped = ""
            dump(credentials, to: &dumped)
            dump(client, to: &dumped)
            let shown =
                "\(credentials) \(String(reflecting: credentials)) \([credentials]) \(dumped) \([client]) \(client)"
            #expect(!shown.contains("the-"), "\(shown)")
        }
    }
}
