import PluginCrypto
import PluginKit
import Testing

@testable import UploadsPlugin

/// The examples of "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using Query
/// Parameters" in AWS's reference of S3.
@Suite struct `Signature version 4` {
  let signature = SignatureV4(
    keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "us-east-1")
  let time = Timestamp(unixMilliseconds: 1_369_353_600_000)
  let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private func request(_ method: String, _ path: String) -> SignatureV4.Request {
    SignatureV4.Request(method: method, host: "examplebucket.s3.amazonaws.com", path: path)
  }

  private func authorization(_ request: SignatureV4.Request, digest: String) -> String {
    signature.fields(for: request, digest: digest, at: time).last { $0.name == "authorization" }?
      .value
      ?? ""
  }

  @Test func `of a request for a part of an object`() {
    var request = request("GET", "/test.txt")
    request.fields = [("range", "bytes=0-9")]
    #expect(
      authorization(request, digest: empty)
        == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
  }

  @Test func `of an object that is put`() {
    var request = request("PUT", "/" + SignatureV4.encoded("test$file.text", keepsSlashes: true))
    request.fields = [
      ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ]
    let digest = Digest.sha256(Array("Welcome to Amazon S3.".utf8)).hexadecimal
    #expect(
      authorization(request, digest: digest).hasSuffix(
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
  }

  @Test func `of a query without a value and of one with two`() {
    var lifecycle = request("GET", "/")
    lifecycle.query = [("lifecycle", "")]
    #expect(
      authorization(lifecycle, digest: empty).hasSuffix(
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
    var list = request("GET", "/")
    list.query = [("prefix", "J"), ("max-keys", "2")]
    #expect(
      authorization(list, digest: empty).hasSuffix(
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
  }

  @Test func `of a URL`() {
    #expect(
      signature.query(for: request("GET", "/test.txt"), at: time, seconds: 86_400)
        == "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
  }

  @Test func `names hosts as they are asked`() {
    func place(_ origin: String) -> BucketPlace {
      BucketPlace(origin: origin, bucket: "b", prefix: "p q/", signature: signature)
    }
    #expect(place("https://s3.example").host == "s3.example")
    #expect(place("https://s3.example:443").host == "s3.example")
    #expect(place("http://s3.example:9000").host == "s3.example:9000")
    #expect(place("https://s3.example").path(of: "app/id") == "/b/p%20q/app/id")
    #expect(Bucket.element("UploadId", in: Array("<a><UploadId>x</UploadId></a>".utf8)) == "x")
    #expect(Bucket.element("Code", in: Array("<a></a>".utf8)) == nil)
  }
}
