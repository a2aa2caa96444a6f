"""Users' tokens that PyJWT and joserfc make, of the app's own and of issuers that it trusts; and what must not be let in."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwt as jose
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from client import Account, Client, encode

ISSUER, AUDIENCE = "https://id.example.test", "shop"
OWN = "/v1/channels"


@pytest.fixture(scope="module")
def keys() -> dict:
    return {
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }


def public(algorithm: str, key) -> dict:
    kinds = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm, "EdDSA": jwt.algorithms.OKPAlgorithm}
    return {**json.loads(kinds[algorithm].to_jwk(key.public_key())), "kid": algorithm, "use": "sig"}


@pytest.fixture(scope="module")
def trusting(platform, keys):
    """An app that trusts an issuer with three keys, of three kinds, besides itself."""
    app = Account(platform.url).app("Trusting")
    issuer = {
        "issuer": ISSUER, "algorithms": list(keys), "audience": AUDIENCE, "user_prefix": "id|",
        "keys": {"keys": [public(algorithm, key) for algorithm, key in keys.items()]},
    }
    app.set_plugin("auth", enabled=True, config={"issuers": [issuer]})
    return app


def claims(**others) -> dict:
    now = int(time.time())
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600, **others}
    return {name: value for name, value in made.items() if value is not None}


def status(url: str, app: str, token: str) -> int:
    """What a user's route says to a token; the app is named, because the issuer's name does not lead to it."""
    return Client(url, token).get(OWN, params={"app": app}).status_code


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_tokens_of_pyjwt_are_let_in_and_name_their_user(platform, trusting, keys, algorithm):
    token = jwt.encode(claims(), keys[algorithm], algorithm, headers={"kid": algorithm})
    assert status(platform.url, trusting.id, token) == 200
    client = Client(platform.url, token)
    path = f"/v1/channels/messaging/{algorithm.lower()}/messages?app={trusting.id}"
    made = client.post(path, {"text": "hello"}, expect=201).json()
    assert made["user_id"] == "id|alice"
    assert status(platform.url, trusting.id, token[:-4] + "AAAA") == 401
    # Without the name of one of three keys, and with that of another.
    assert status(platform.url, trusting.id, jwt.encode(claims(), keys[algorithm], algorithm)) == 401
    for other in keys:
        wrong = jwt.encode(claims(), keys[algorithm], algorithm, headers={"kid": other})
        assert (status(platform.url, trusting.id, wrong) == 200) == (other == algorithm)


@pytest.mark.parametrize("changes, words", [
    ({"exp": int(time.time()) - 300}, "has expired"), ({"exp": None}, '"exp"'), ({"sub": None}, '"sub"'),
    ({"aud": "another"}, "for somebody else"), ({"nbf": int(time.time()) + 3600}, "not valid yet"),
])
def test_who_holds_a_genuine_token_is_told_why_it_is_not_let_in_and_nobody_else(platform, trusting, keys, changes, words):
    def refusal(token: str):
        answer = Client(platform.url, token).get(OWN, params={"app": trusting.id}, expect=401)
        assert answer.json()["code"] == "unauthenticated"
        return answer

    token = jwt.encode(claims(**changes), keys["EdDSA"], "EdDSA", headers={"kid": "EdDSA"})
    told = refusal(token)
    assert words in told.json()["detail"], told.text
    assert ("expired" in told.headers["www-authenticate"]) == ("expired" in words)
    forged = token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    assert words not in refusal(forged).text
    assert refusal(forged).json()["detail"] == refusal("x.y.z").json()["detail"]


def test_a_forged_issuer_does_not_tell_which_apps_there_are(platform):
    app = Account(platform.url).app("Hidden")
    app.set_plugin("chat", enabled=False)

    def refusals(issuer: str) -> set:
        forged = jwt.encode({"iss": issuer, "sub": "x", "exp": int(time.time()) + 60}, "x" * 32, "HS256")
        asked = [("GET", "/v1/nothing"), ("PUT", "/v1/tokens"), ("GET", "/v1/unread"), ("GET", "/v1/users")]
        answers = [Client(platform.url, forged).call(method, path) for method, path in asked]
        return {(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in answers}

    assert refusals(app.id) == refusals("app_" + "0" * 26)
    assert {status for status, *_ in refusals(app.id)} == {401}
    # Whoever holds a good token is told.
    alice = app.user("alice")
    for method, path, code in (("GET", "/v1/nothing", "not_found"), ("PUT", "/v1/tokens", "method_not_allowed"),
                               ("GET", "/v1/unread", "plugin_not_enabled")):
        assert alice.call(method, path).json()["code"] == code


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_tokens_of_joserfc_are_let_in(platform, trusting, keys, algorithm):
    kind = {"RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}[algorithm]
    pem = keys[algorithm].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    head = {"alg": algorithm, "kid": algorithm, "typ": "at+jwt"}
    token = jose.encode(head, claims(), kind.import_key(pem), algorithms=[algorithm])
    assert status(platform.url, trusting.id, token) == 200


def test_the_apps_own_tokens_are_those_of_both_libraries_and_they_verify_ours(platform, trusting):
    own = {"iss": trusting.id, "sub": "bob", "exp": int(time.time()) + 60}
    assert status(platform.url, trusting.id, jwt.encode(own, trusting.signing_secret, "HS256")) == 200
    key = OctKey.import_key(trusting.signing_secret)
    assert status(platform.url, trusting.id, jose.encode({"alg": "HS256"}, own, key)) == 200
    ours = trusting.token("carol")
    assert jwt.decode(ours, trusting.signing_secret, ["HS256"], issuer=trusting.id)["sub"] == "carol"
    assert jose.decode(ours, key, algorithms=["HS256"]).claims["sub"] == "carol"


def test_the_accounts_tokens_verify_with_the_published_keys(platform, account):
    token = account.session.headers["Authorization"].split(" ")[1]
    keys = Client(platform.url).get("/.well-known/jwks.json", expect=200).json()
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWK(next(key for key in keys["keys"] if key["kid"] == kid))
    assert jwt.decode(token, key, ["ES256", "EdDSA"], issuer="platform")["sub"] == account.id


def test_nobody_is_let_in_by_a_public_key_or_without_any(platform, trusting, keys):
    """RFC 8725 §2.1 and §3.1, RFC 7515 §10.7"""
    import hashlib
    import hmac

    def forged(head: dict, secret: bytes | None, **others) -> str:
        text = encode(head) + "." + encode(claims(**others))
        return text + "." + ("" if secret is None else encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()))

    pems = [
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        for key in keys.values()
    ]
    for issuer in (ISSUER, trusting.id):
        for word in ("none", "None", "NONE", "nOnE", ""):
            assert status(platform.url, trusting.id, forged({"alg": word}, None, iss=issuer)) == 401
        for name, pem in zip(keys, pems):
            published = json.dumps(public(name, keys[name])).encode()
            for secret in (pem, pem.strip(), published, b""):
                assert status(platform.url, trusting.id, forged({"alg": "HS256", "kid": name}, secret, iss=issuer)) == 401
    # Neither the app's secret for the issuer's tokens, nor the issuer's keys for the app's.
    assert status(platform.url, trusting.id, jwt.encode(claims(), trusting.signing_secret, "HS256")) == 401
    for name, key in keys.items():
        stolen = jwt.encode(claims(iss=trusting.id, aud=None), key, name, headers={"kid": name})
        assert status(platform.url, trusting.id, stolen) == 401


def test_two_apps_may_trust_one_issuer(platform, trusting, keys):
    """Whichever of them a loop has seen a token at first."""
    other = Account(platform.url).app("Trusting too")
    issuer = {"issuer": ISSUER, "algorithms": ["ES256"], "audience": AUDIENCE, "keys": {"keys": [public("ES256", keys["ES256"])]}}
    other.set_plugin("auth", enabled=True, config={"issuers": [issuer]})
    token = jwt.encode(claims(), keys["ES256"], "ES256", headers={"kid": "ES256"})
    for app in [trusting.id, other.id] * 6:
        assert status(platform.url, app, token) == 200


def test_an_issuer_of_one_app_is_nobody_in_another(platform, trusting, rival, keys):
    token = jwt.encode(claims(), keys["ES256"], "ES256", headers={"kid": "ES256"})
    assert status(platform.url, trusting.id, token) == 200
    for _ in range(6):  # on every loop, whether it has seen the token or not
        assert status(platform.url, rival.id, token) == 401
        assert Client(platform.url, token).get(OWN).status_code == 401


@pytest.mark.parametrize("change", [
    {"aud": None}, {"aud": "other"}, {"aud": []}, {"exp": None}, {"exp": 1_000_000_000}, {"exp": "tomorrow"},
    {"nbf": 4_000_000_000}, {"iat": 4_000_000_000}, {"sub": None}, {"sub": ""}, {"sub": "a b"}, {"sub": 7},
    {"iss": ISSUER + "/"}, {"iss": ISSUER.upper()}, {"iss": [ISSUER]},
], ids=lambda change: json.dumps(change))
def test_claims_that_are_not_in_order_are_refused(platform, trusting, keys, change):
    """RFC 7519 §4.1"""
    body = json.dumps(claims(**change)).encode()
    token = jwt.api_jws.encode(body, keys["ES256"], "ES256", headers={"kid": "ES256", "typ": "JWT"})
    assert status(platform.url, trusting.id, token) == 401


def test_settings_of_an_issuer_that_do_not_hold_together_are_refused_and_the_old_ones_stay(platform, trusting, keys):
    token = jwt.encode(claims(), keys["RS256"], "RS256", headers={"kid": "RS256"})
    weak = {"kty": "oct", "k": base64.urlsafe_b64encode(b"short").rstrip(b"=").decode()}
    private = {**public("ES256", keys["ES256"]), "d": "AAAA"}
    for algorithms, key, pointer in (
        (["HS256"], weak, "/config/issuers/0/keys/keys/0"), (["ES256"], private, "/config/issuers/0/keys/keys/0"),
        (["RS256"], public("ES256", keys["ES256"]), "/config/issuers/0/keys"), (["none"], weak, "/config/issuers/0/algorithms/0"),
    ):
        issuer = {"issuer": ISSUER, "algorithms": algorithms, "audience": AUDIENCE, "keys": {"keys": [key]}}
        refused = trusting.set_plugin("auth", expect=400, enabled=True, config={"issuers": [issuer]}).json()
        assert pointer in [error["pointer"] for error in refused["errors"]], refused
    assert status(platform.url, trusting.id, token) == 200
