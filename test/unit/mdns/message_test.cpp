#include "mdns/message.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using mdns::message;
using mdns::parse_message;
using mdns::record_type;
using mdns::write_message;

namespace {

base::bytes bytes_of(std::string_view text) {
  const auto view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

message sample_response() {
  message response;
  response.response = true;
  response.id = 7;
  response.questions.push_back({"host.local", record_type::a, true});
  response.addresses.push_back({"host.local", *base::ip_address::parse("192.0.2.7"), 120, true});
  response.addresses.push_back({"other.local", *base::ip_address::parse("2001:db8::7"), 10, false});
  return response;
}

}  // namespace

TEST_CASE("a message survives writing and parsing") {
  const auto response = sample_response();
  CHECK(parse_message(write_message(response)) == response);
  message query;
  query.questions.push_back({"a.b.local", record_type::aaaa, false});
  CHECK(parse_message(write_message(query)) == query);
}

TEST_CASE("a query for an address is what RFC 1035 4.1 says, byte for byte") {
  message query;
  query.questions.push_back({"ab.local", record_type::a, false});
  using namespace std::string_view_literals;
  CHECK(write_message(query) == bytes_of("\0\0\0\0\0\1\0\0\0\0\0\0\2ab\5local\0\0\1\0\1"sv));
}

TEST_CASE("names are compressed when written") {
  const auto data = write_message(sample_response());
  // header 12, question 12 + 4, a pointer and 10 + 4, "other" and a pointer and 10 + 16
  CHECK(data.size() == 12 + 16 + 2 + 14 + 8 + 26);
}

TEST_CASE("every truncation of a message is refused") {
  const auto data = write_message(sample_response());
  for (std::size_t size = 0; size < data.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_message(base::byte_span(data).first(size)));
  }
}

TEST_CASE("names that run in a circle or forward are refused") {
  using namespace std::string_view_literals;
  constexpr auto header = "\0\0\0\0\0\1\0\0\0\0\0\0"sv;
  const auto with_name = [&](std::string_view name) {
    auto data = bytes_of(header);
    const auto tail = bytes_of(name);
    data.insert(data.end(), tail.begin(), tail.end());
    return parse_message(data);
  };
  CHECK(with_name("\1a\0\0\1\0\1"sv));
  CHECK_FALSE(with_name("\xc0\x0c\0\1\0\1"sv));       // itself
  CHECK_FALSE(with_name("\1a\xc0\x0c\0\1\0\1"sv));    // its own start
  CHECK_FALSE(with_name("\xc0\x12\0\1\0\1\1a\0"sv));  // forward
  CHECK_FALSE(
      with_name("\x40"
                "a\0\0\1\0\1"sv));              // reserved label type
  CHECK_FALSE(with_name("\3a.b\0\0\1\0\1"sv));  // a dot in a label
}

TEST_CASE("a name longer than 255 octets is refused") {
  std::string name;
  for (int i = 0; i < 5; ++i) name += std::string(50, 'x') + '.';
  name += "local";
  CHECK_FALSE(mdns::valid_name(name));
  message query;
  query.questions.push_back({name, record_type::a, false});
  CHECK_FALSE(parse_message(write_message(query)));
}

TEST_CASE("records of other types and classes are skipped, and other sections too") {
  auto response = sample_response();
  auto data = write_message(response);
  data[7] = 0;   // no answers …
  data[11] = 2;  // … but additional records
  auto parsed = parse_message(data);
  REQUIRE(parsed);
  CHECK(parsed->addresses.size() == 2);
  data[11] = 0;
  data[9] = 2;  // the authority section
  parsed = parse_message(data);
  REQUIRE(parsed);
  CHECK(parsed->addresses.empty());
  data = write_message(response);
  data[12 + 16 + 5] = 3;  // the class of the first record
  parsed = parse_message(data);
  REQUIRE(parsed);
  CHECK(parsed->addresses.size() == 1);
}

TEST_CASE("an opcode, a response code or too many bytes make a message be ignored") {
  auto data = write_message(sample_response());
  data[2] |= 0x08;
  CHECK_FALSE(parse_message(data));
  data = write_message(sample_response());
  data[3] |= 0x03;
  CHECK_FALSE(parse_message(data));
  data = write_message(sample_response());
  data.resize(mdns::max_message_size + 1);
  CHECK_FALSE(parse_message(data));
}

TEST_CASE("names compare without case and without the dot at the end") {
  CHECK(mdns::canonical_name("AbC.LOCAL.") == "abc.local");
  CHECK(mdns::is_local_name("x.Local"));
  CHECK(mdns::is_local_name("x.local."));
  CHECK_FALSE(mdns::is_local_name(".local"));
  CHECK_FALSE(mdns::is_local_name("local"));
  CHECK_FALSE(mdns::is_local_name("x.localhost"));
  CHECK_FALSE(mdns::valid_name("a..local"));
  CHECK_FALSE(mdns::valid_name("a.local."));
  CHECK_FALSE(mdns::valid_name("a\n.local"));
  CHECK_FALSE(mdns::valid_name(std::string(64, 'a') + ".local"));
  CHECK(mdns::valid_name(std::string(63, 'a') + ".local"));
}
