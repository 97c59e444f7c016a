import FlowService
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
