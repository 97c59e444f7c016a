import Foundation
import NIOSSL

/// A self-signed certificate for 127.0.0.1, valid until 2126, with its key; trusted only by these tests.
struct TestCertificate {
    /// The path of a PEM file with the certificate.
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sluice-test-certificate-\(UUID().uuidString).pem"
        try Data(Self.certificate.utf8).write(to: URL(fileURLWithPath: path))
    }

    func serverContext() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(Self.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
    }

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBnjCCAUWgAwIBAgIUIgrWmDC8daI3aDcm7n4wYoQAnA8wCgYIKoZIzj0EAwIw
        FjEUMBIGA1UEAwwLU2x1aWNlIHRlc3QwIBcNMjYxMTIzMjE0MzQxWhgPMjEyNjEw
        MzAyMTQzNDFaMBYxFDASBgNVBAMMC1NsdWljZSB0ZXN0MFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAEM5JS2dplHpy9anvsCnkNwgfjfPBd6r4FMzJsfXmKeVNpPpwO
        JYJI7u3RBj/sX0puEpSbXTJO6I2YInHgjWDIOqNvMG0wHQYDVR0OBBYEFLmcmFlw
        eFCcUlWQDIrRW6aGoyIYMB8GA1UdIwQYMBaAFLmcmFlweFCcUlWQDIrRW6aGoyIY
        MBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9zdDAPBgNVHRMBAf8EBTADAQH/MAoG
        CCqGSM49BAMCA0cAMEQCIFScpCZ9VtCbY74r3cTYWwp5VX1oVEbHU7CRqCCD35/w
        AiAg90as2aBZ9Nzq0MINmyGeFFLyV0bUpO3CIiuUeGk2zg==
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvwq+Tr7B5JzX6XGt
        I9d0W0lNsj8JEOFRVMCFMpf/8u+hRANCAAQzklLZ2mUenL1qe+wKeQ3CB+N88F3q
        vgUzMmx9eYp5U2k+nA4lgkju7dEGP+xfSm4SlJtdMk7ojZgiceCNYMg6
        -----END PRIVATE KEY-----
        """
}
