import FlowRuns
import Testing

@Suite("Identities of targets")
struct TargetIdentityTests {
    private func identity(_ service: String) -> TargetIdentity {
        TargetIdentity(service: service, organization: "1234@AdobeOrg", sandbox: "prod")
    }

    @Test(
        "the identity is the same for every spelling of the service's address",
        arguments: [
            "https://platform.adobe.io/data/foundation/flowservice/",
            "HTTPS://Platform.Adobe.IO/data/foundation/flowservice",
            "https://platform.adobe.io:443/data/foundation/flowservice",
            "https://platform.adobe.io:/data/foundation/flowservice",
            "https://platform.adobe.io./data/foundation/flowservice",
            "https://platform.adobe.io//data//foundation/flowservice//",
            "https://platform.adobe.io/data/./foundation/x/../flowservice",
            "https://platform.adobe.io/d%61ta/foundation/flowservice",
        ])
    func spellings(address: String) {
        let plain = identity("https://platform.adobe.io/data/foundation/flowservice")
        #expect(identity(address) == plain)
        #expect(plain.description == "https://platform.adobe.io/data/foundation/flowservice 1234@AdobeOrg prod")
    }

    @Test(
        "the identity is the same for every name of the loopback interface",
        arguments: [
            "http://127.0.0.1:8080", "http://LOCALHOST:8080/", "http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080//",
            "http://localhost:08080",
        ])
    func loopback(address: String) {
        #expect(identity(address) == identity("http://localhost:8080"))
    }

    @Test(
        "the identity differs if scheme, host, port or path differ",
        arguments: [
            ("http://localhost:8080", "http://localhost:8081"), ("http://localhost", "https://localhost"),
            ("http://localhost:443", "http://localhost"), ("http://[::1]", "http://[::2]"),
            ("http://[fe80::1]", "http://[::1]"), ("https://a.example/x", "https://a.example/X"),
            ("https://a.example", "https://b.example"), ("https://a.example/%2F", "https://a.example/"),
            ("embedded", "http://embedded"),
        ])
    func others(left: String, right: String) {
        #expect(identity(left) != identity(right))
    }

    @Test("the identity differs between organisations and between sandboxes")
    func sandboxes() {
        let one = TargetIdentity(service: "embedded", organization: "a", sandbox: "prod")
        #expect(one != TargetIdentity(service: "embedded", organization: "b", sandbox: "prod"))
        #expect(one != TargetIdentity(service: "embedded", organization: "a", sandbox: "stage"))
    }

    @Test("an identity is parsed from its description, including one with an older spelling of the address")
    func descriptions() {
        let plain = identity("http://127.0.0.1:8080/flows")
        #expect(TargetIdentity(plain.description) == plain)
        #expect(TargetIdentity("http://[::1]:8080//flows 1234@AdobeOrg prod") == plain)
        #expect(TargetIdentity("embedded 1234@AdobeOrg prod") == identity("embedded"))
        for text in ["", "embedded", "embedded 1234@AdobeOrg", "embedded  prod", "a b c d"] {
            #expect(TargetIdentity(text) == nil)
        }
    }
}
