#include "dtls/record_layer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace asiortc;
using namespace asiortc::dtls;

namespace {

constexpr aead all_kinds[] = {aead::aes_128_gcm, aead::aes_256_gcm, aead::chacha20_poly1305};

/// A client's and a server's record layer over the same keys.
struct joined_layers {
  explicit joined_layers(aead kind, write_position from = {}) {
    key_block keys;
    keys.kind = kind;
    keys.client_write.key.fill(1);
    keys.client_write.fixed_iv.fill(0);
    keys.server_write.key.fill(2);
    client = record_layer::make(keys, true, from);
    server = record_layer::make(keys, false, from);
  }

  base::bytes seal(std::string_view plain, content_type type = content_type::application_data) {
    base::packet_batch out;
    if (!client->seal(type, base::as_bytes(plain), out)) return {};
    const auto sealed = out.view(out.entries().at(0));
    return {sealed.begin(), sealed.end()};
  }

  std::optional<std::string> open(base::byte_span sealed) {
    const auto record = take_record(sealed);
    base::packet_batch room;
    const auto opened = record ? server->open(*record, room) : std::nullopt;
    if (!opened) return std::nullopt;
    CHECK(room.empty());  // the caller commits
    return std::string(base::as_text(opened->content));
  }

  std::optional<record_layer> client;
  std::optional<record_layer> server;
};

}  // namespace

TEST_CASE("each AEAD opens what it sealed, of any length up to the longest") {
  for (const aead kind : all_kinds) {
    joined_layers layers(kind);
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1200U, 16384U}) {
      CAPTURE(size);
      const std::string plain(size, 'x');
      const auto sealed = layers.seal(plain);
      CHECK(sealed.size() == layers.client->sealed_size(size));
      CHECK(layers.open(sealed) == plain);
    }
    CHECK(layers.seal(std::string(16385, 'x')).empty());
  }
}

TEST_CASE(
    "a record with any one bit changed or any byte missing is refused, and its number lives") {
  for (const aead kind : all_kinds) {
    joined_layers layers(kind);
    const auto sealed = layers.seal("content");
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      auto altered = sealed;
      altered[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      CHECK_FALSE(layers.open(altered));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      CHECK_FALSE(layers.open(base::byte_span(sealed).first(size)));
      auto shortened = base::bytes(sealed.begin(), sealed.begin() + static_cast<long>(size));
      if (size >= record_header_size) {
        shortened[12] = static_cast<std::uint8_t>(size - record_header_size);
        CHECK_FALSE(layers.open(shortened));
      }
    }
    CHECK(layers.open(sealed) == "content");
    CHECK_FALSE(layers.open(sealed));
  }
}

TEST_CASE("records may overtake each other within the window, and not beyond it") {
  joined_layers layers(aead::aes_128_gcm);
  std::vector<base::bytes> sealed;
  for (std::uint64_t i = 0; i <= replay_window::size; ++i) sealed.push_back(layers.seal("x"));
  CHECK(layers.open(sealed.back()));
  CHECK_FALSE(layers.open(sealed[0]));
  for (std::size_t i = sealed.size() - 2; i > 0; --i) CHECK(layers.open(sealed[i]));
  for (const auto& record : sealed) CHECK_FALSE(layers.open(record));
}

TEST_CASE("a side does not take its own records for the other's") {
  for (const aead kind : all_kinds) {
    joined_layers layers(kind);
    layers.server = std::move(layers.client);
    joined_layers same_keys(kind);
    CHECK_FALSE(layers.open(same_keys.seal("reflected")));
  }
}

TEST_CASE("no record is sealed after the last sequence number") {
  for (const aead kind : all_kinds) {
    joined_layers layers(kind, {last_sequence - 1, 0});
    CHECK(layers.open(layers.seal("last but one")));
    CHECK_FALSE(layers.client->exhausted());
    CHECK(layers.open(layers.seal("last")));
    CHECK(layers.client->exhausted());
    CHECK(layers.seal("one too many").empty());
  }
}

TEST_CASE("explicit nonces count on from the offset, also over the end of 64 bits") {
  const std::uint64_t first_number = std::uint64_t{1} << 48;
  joined_layers layers(aead::aes_256_gcm, {0, ~std::uint64_t{0} - first_number});
  const auto explicit_nonce = [](base::byte_span sealed) {
    return base::byte_reader(sealed.subspan(record_header_size)).u64();
  };
  const auto one = layers.seal("one");
  const auto two = layers.seal("two");
  CHECK(explicit_nonce(one) == ~std::uint64_t{0});
  CHECK(explicit_nonce(two) == 0);
  CHECK(layers.open(two) == "two");
  CHECK(layers.open(one) == "one");
}
