#include "turn/credentials.hpp"

#include "crypto/hash.hpp"
#include "unit/stun/hex.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using stun::attribute_type;
using stun::message_builder;
using stun::message_class;
using stun::message_view;
using turn::long_term_credentials;
using challenge = long_term_credentials::challenge;

namespace {

// U+30DE U+30C8 U+30EA U+30C3 U+30AF U+30B9, the user of both RFCs.
const std::string user = "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9";

base::bytes challenge_with(std::string_view realm, std::string_view nonce,
                           std::string_view algorithms = {}) {
  message_builder builder(message_class::error, stun::method::allocate, {});
  builder.add_error(401, "").add_text(attribute_type::realm, realm);
  builder.add_text(attribute_type::nonce, nonce);
  if (!algorithms.empty()) {
    builder.add(attribute_type::password_algorithms, test::from_hex(algorithms));
  }
  return std::move(builder).take();
}

challenge take(long_term_credentials& credentials, const base::bytes& answer) {
  return credentials.take(*message_view::parse(answer));
}

base::bytes signed_by(const long_term_credentials& credentials, stun::transaction_id id = {}) {
  message_builder builder(message_class::request, stun::method::binding, id);
  credentials.sign(builder);
  return std::move(builder).take();
}

}  // namespace

TEST_CASE(
    "RFC 5769 2.4: the sample request with long-term authentication comes out byte for byte") {
  long_term_credentials credentials(user, "TheMatrIX");
  REQUIRE(take(credentials, challenge_with("example.org", "f//499k954d6OL34oL9FSTvy64sA")) ==
          challenge::accepted);
  CHECK(signed_by(credentials,
                  {0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e}) ==
        test::from_hex("00010060 2112a442 78ad3433 c6ad72c0 29da412e"
                       "00060012 e3839ee38388e383aae38383e382afe382b90000"
                       "0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341"
                       "0014000b 6578616d706c652e6f726700"
                       "00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666"));
}

TEST_CASE("RFC 8489 B.1: user hash and SHA-256 key are those of the sample request") {
  // As verified erratum 6268 has it.
  const auto sample = test::from_hex(
      "00010090 2112a442 78ad3433 c6ad72c0 29da412e"
      "001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"
      "00150029 6f624d61744a6f73324141414366 2f2f3439396b39353464364f4c33346f4c39465354767936347341"
      "000000"
      "0014000b 6578616d706c652e6f726700"
      "001d0004 00020000"
      "001c0020 b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65");
  long_term_credentials credentials(user, "TheMatrIX");
  const std::string nonce = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA";
  REQUIRE(take(credentials, challenge_with("example.org", nonce, "00020000")) ==
          challenge::accepted);
  const auto message = message_view::parse(sample);
  REQUIRE(message);
  CHECK(credentials.verify(*message));
  const auto ours = signed_by(credentials);
  const auto own = message_view::parse(ours);
  REQUIRE(own);
  const auto same = [&](attribute_type type) {
    const auto a = message->find(type);
    const auto b = own->find(type);
    REQUIRE((a && b));
    return std::equal(a->begin(), a->end(), b->begin(), b->end());
  };
  CHECK(same(attribute_type::userhash));
  CHECK(same(attribute_type::nonce));
  CHECK(same(attribute_type::password_algorithm));
  CHECK_FALSE(own->has(attribute_type::username));
}

TEST_CASE("the first known algorithm of the list is chosen and the list is echoed") {
  struct row {
    const char* list;
    const char* choice;
    bool sha256;
  };
  for (const row& each :
       {row{"00010000 00020000", "00010000", false}, row{"00020000 00010000", "00020000", true},
        row{"00770003 aabbcc00 00020000", "00020000", true}}) {
    CAPTURE(each.list);
    long_term_credentials credentials("user", "secret");
    REQUIRE(take(credentials, challenge_with("realm", "obMatJos2AAABx", each.list)) ==
            challenge::accepted);
    const auto bytes = signed_by(credentials);
    const auto request = message_view::parse(bytes);
    REQUIRE(request);
    const auto echoed = request->find(attribute_type::password_algorithms);
    const auto chosen = request->find(attribute_type::password_algorithm);
    REQUIRE((echoed && chosen));
    CHECK(base::bytes(echoed->begin(), echoed->end()) == test::from_hex(each.list));
    CHECK(base::bytes(chosen->begin(), chosen->end()) == test::from_hex(each.choice));
    const auto text = base::as_bytes("user:realm:secret");
    CHECK((each.sha256 ? request->verify_integrity(crypto::sha256(text))
                       : request->verify_integrity(crypto::md5(text))));
    CHECK(request->has(attribute_type::username));
  }
}

TEST_CASE("a challenge that cannot be met is not taken") {
  long_term_credentials credentials("user", "secret");
  CHECK(take(credentials, challenge_with("", "nonce")) == challenge::malformed);
  CHECK(take(credentials, challenge_with("realm", "")) == challenge::malformed);
  CHECK(take(credentials, challenge_with("realm", std::string(764, 'n'))) == challenge::malformed);
  CHECK(take(credentials, challenge_with("realm", "obMatJos2AAABnonce")) == challenge::bid_down);
  CHECK(take(credentials, challenge_with("realm", "nonce", "00770000")) == challenge::no_algorithm);
  CHECK(take(credentials, challenge_with("realm", "nonce", "00020004")) == challenge::no_algorithm);
  CHECK_FALSE(credentials.challenged());
  CHECK(take(credentials, challenge_with("realm", "obMatJos2AAA")) == challenge::accepted);
  CHECK(take(credentials, challenge_with("realm", "obMatJos2*AAB")) == challenge::accepted);
}

TEST_CASE("a user name that STUN cannot carry is none") {
  CHECK_FALSE(long_term_credentials("", "x").given());
  CHECK(long_term_credentials(std::string(508, 'u'), "x").given());
  CHECK_FALSE(long_term_credentials(std::string(509, 'u'), "x").given());
}
