import YAML

extension ManifestDecoder {
    /// The path of the Flow Service on Adobe's hosts.
    private static let adobePath = "data/foundation/flowservice"

    /// Decodes a service: `embedded`, or an http or https address without credentials.
    mutating func service(_ field: Field?) -> Target.Service? {
        guard let field, var address = text(field) else { return nil }
        if address == "embedded" { return .embedded }
        guard !rejectSecret(field, address: address) else { return nil }
        while address.hasSuffix("/") { address.removeLast() }
        if let url = AddressParts(address), ["http", "https"].contains(url.scheme), !url.host.isEmpty,
            url.user == nil, !address.contains("?"), !address.contains("#")
        {
            let service = Target.Service.address(address)
            guard service.isAdobeEndpoint, url.path != Self.adobePath else { return service }
            add(
                .badServiceAddress, at: field.value,
                url.path.isEmpty
                    ? "the service address has no path"
                    : "the path of the service address is not the Flow Service's",
                suggestion: "write \(url.scheme)://\(url.host)/\(Self.adobePath)")
            return service
        }
        let hint = "write 'embedded', or an address such as https://platform.adobe.io/data/foundation/flowservice"
        let isNearlyEmbedded = nearest(to: address, among: ["embedded"]) != nil
        add(
            .badServiceAddress, at: field.value, "invalid service address \(quoted(address))",
            suggestion: isNearlyEmbedded ? "did you mean 'embedded'?" : hint)
        return nil
    }

    /// Decodes a ledger address: `sqlite:PATH`, `git:…`, or `postgres://…` without a password.
    mutating func ledger(_ field: Field?) -> Target.LedgerAddress? {
        guard let field, let text = text(field) else { return nil }
        // What is read from a pipe (`/dev/stdin`, `/dev/fd/63`) lies in no folder.
        let isPipe = file.hasPrefix("/dev/") || file.hasPrefix("/proc/")
        let folder = isPipe ? "" : file.lastIndex(of: "/").map { file[...$0] } ?? ""
        do throws(LedgerAddressError) {
            return try Target.LedgerAddress(written: text, in: folder)
        } catch {
            add(error.code, at: field.value, error.message, suggestion: error.suggestion)
            return nil
        }
    }

    mutating func rejectSecret(_ field: Field, address: String) -> Bool {
        guard withoutSecrets(address) != address else { return false }
        add(
            .secretInManifest, at: field.value, "'\(field.key)' contains a password",
            suggestion: "remove it: secrets come from the environment")
        return true
    }
}

extension Target.Service {
    /// Whether the host is one of Adobe's.
    var isAdobeEndpoint: Bool {
        guard case .address(let address) = self, let url = AddressParts(address) else { return false }
        return ".\(url.host.prefix { $0 != ":" }.lowercased())".hasSuffix(".adobe.io")
    }
}
