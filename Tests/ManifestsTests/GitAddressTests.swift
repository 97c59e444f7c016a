import Manifests
import Testing

@Suite("Addresses of Git ledgers")
struct GitAddressTests {
    @Test(
        "an address is relative to the manifest's folder, and is read back from a saved plan",
        arguments: [
            ("prod.yaml", "git:", "git:"),
            ("prod.yaml", "git:origin", "git:"),
            ("./prod.yaml", "git:", "git:"),
            ("x/y/prod.yaml", "git:upstream", "git:upstream?folder=x/y/"),
            ("x/prod.yaml", "git:../ledger.git", "git:x/../ledger.git?folder=x/"),
            ("x/prod.yaml", "git:/var/ledger.git", "git:/var/ledger.git?folder=x/"),
            ("prod.yaml", "git:git@github.com:acme/x.git", "git:git@github.com:acme/x.git"),
            (
                "x/prod.yaml", "git:https://example.org/x.git?pushesPerMinute=6&refs=refs/heads/sluice",
                "git:https://example.org/x.git?folder=x/&refs=refs/heads/sluice&pushesPerMinute=6"
            ),
        ])
    func addresses(file: String, written: String, shown: String) throws {
        let yaml = """
            {apiVersion: sluice/v1, kind: Target, metadata: {name: t}, spec: {service: embedded,
            organization: o, sandbox: s, ledger: "\(written)"}}
            """
        let (manifests, diagnostics) = ManifestLoader().load([SourceFile(path: file, bytes: Array(yaml.utf8))])
        #expect(diagnostics.isEmpty)
        let ledger = try #require(manifests.targets.first?.ledger)
        #expect(ledger.description == shown)
        #expect(Target.LedgerAddress(ledger.description) == ledger)
    }
}
