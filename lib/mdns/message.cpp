#include "mdns/message.hpp"

#include "mdns/name.hpp"

#include <array>

namespace asiortc::mdns {
namespace {

constexpr std::size_t header_size = 12;          // RFC 1035 4.1.1
constexpr std::uint16_t response_bit = 0x8000;   // RFC 1035 4.1.1: QR
constexpr std::uint16_t authoritative = 0x0400;  // RFC 6762 18.4: set in responses
// RFC 6762 18.3 and 18.11: "messages received with an opcode other than zero MUST be silently
// ignored", and the same for a response code other than zero.
constexpr std::uint16_t opcode_and_rcode = 0x7800 | 0x000f;
constexpr std::uint16_t class_internet = 1;  // RFC 1035 3.2.4
constexpr std::uint16_t type_nsec = 47;      // RFC 4034 4
// RFC 6762 5.4 and 10.2: the top bit of the class is QU in questions, cache-flush in records.
constexpr std::uint16_t top_bit = 0x8000;

/// Reads a message from its front; every `read_*` gives false when the message is malformed.
class parser {
 public:
  explicit parser(base::byte_span data) : data_(data) {}

  bool read_header() {
    if (data_.size() < header_size || data_.size() > max_message_size) return false;
    message_.id = u16();
    const std::uint16_t flags = u16();
    message_.response = (flags & response_bit) != 0;
    for (auto& count : counts_) count = u16();
    return (flags & opcode_and_rcode) == 0;
  }

  bool read_question() {
    question asked;
    auto name = read_name(data_, position_);
    if (!name || remaining() < 4) return false;
    asked.name = std::move(*name);
    asked.type = static_cast<record_type>(u16());
    const std::uint16_t clazz = u16();
    asked.unicast_response = (clazz & top_bit) != 0;
    const bool ours = asked.type == record_type::a || asked.type == record_type::aaaa ||
                      asked.type == record_type::any;
    if (ours && (clazz & ~top_bit) == class_internet) message_.questions.push_back(asked);
    return true;
  }

  bool read_record(bool wanted) {
    address_record record;
    auto name = read_name(data_, position_);
    if (!name || remaining() < 10) return false;
    record.name = std::move(*name);
    const auto type = static_cast<record_type>(u16());
    const std::uint16_t clazz = u16();
    record.cache_flush = (clazz & top_bit) != 0;
    record.ttl = u16();
    record.ttl = record.ttl << 16 | u16();
    const std::size_t length = u16();
    if (length > remaining()) return false;
    const base::byte_span value = data_.subspan(position_, length);
    position_ += length;
    const auto address = read_address(type, value);
    if (!address || !wanted || (clazz & ~top_bit) != class_internet) return true;
    record.address = *address;
    message_.addresses.push_back(std::move(record));
    return true;
  }

  std::optional<message> run() {
    if (!read_header()) return std::nullopt;
    // A count is not trusted: each entry takes bytes, and reading stops where they end.
    for (std::size_t i = 0; i < counts_[0]; ++i) {
      if (!read_question()) return std::nullopt;
    }
    for (const std::size_t section : {1u, 2u, 3u}) {
      const bool wanted = section != 2;  // the authority section proposes, it does not answer
      for (std::size_t i = 0; i < counts_[section]; ++i) {
        if (!read_record(wanted)) return std::nullopt;
      }
    }
    return std::move(message_);
  }

 private:
  static std::optional<base::ip_address> read_address(record_type type, base::byte_span value) {
    std::array<std::uint8_t, 16> octets{};
    if (type == record_type::a && value.size() == 4) {
      return base::ip_address::v4({value[0], value[1], value[2], value[3]});
    }
    if (type == record_type::aaaa && value.size() == octets.size()) {
      std::copy(value.begin(), value.end(), octets.begin());
      return base::ip_address::v6(octets);
    }
    return std::nullopt;
  }

  std::uint16_t u16() {
    const auto value = static_cast<std::uint16_t>(data_[position_] << 8 | data_[position_ + 1]);
    position_ += 2;
    return value;
  }

  [[nodiscard]] std::size_t remaining() const { return data_.size() - position_; }

  base::byte_span data_;
  std::size_t position_ = 0;
  std::array<std::uint16_t, 4> counts_{};
  message message_;
};

void write_sole_type(const sole_type_record& record, base::byte_writer& writer,
                     name_writer& names) {
  names.write(record.name);
  writer.u16(type_nsec);
  writer.u16(class_internet | top_bit);
  writer.u32(record.ttl);
  const std::size_t length_at = writer.size();
  writer.u16(0);
  // RFC 6762 6.1: the "Next Domain Name" is the record's own name, then block 0 of the bitmap,
  // where the bit of type n is bit n % 8 from the left of byte n / 8 (RFC 4034 4.1.2).
  names.write(record.name);
  const auto type = static_cast<std::uint16_t>(record.type);
  std::array<std::uint8_t, 4> bitmap{};  // as far as AAAA
  bitmap.at(type / 8u) = static_cast<std::uint8_t>(0x80u >> type % 8u);
  const std::size_t used = type / 8u + 1u;
  writer.u8(0);
  writer.u8(static_cast<std::uint8_t>(used));
  writer.append(base::byte_span(bitmap).first(used));
  writer.patch_u16(length_at, static_cast<std::uint16_t>(writer.size() - length_at - 2));
}

}  // namespace

std::optional<message> parse_message(base::byte_span data) { return parser(data).run(); }

base::bytes write_message(const message& message) {
  base::bytes out;
  base::byte_writer writer(out);
  name_writer names(writer);
  writer.u16(message.id);
  writer.u16(message.response ? response_bit | authoritative : 0);
  writer.u16(static_cast<std::uint16_t>(message.questions.size()));
  writer.u16(static_cast<std::uint16_t>(message.addresses.size()));
  writer.u16(0);
  writer.u16(static_cast<std::uint16_t>(message.sole_types.size()));
  for (const auto& asked : message.questions) {
    names.write(asked.name);
    writer.u16(static_cast<std::uint16_t>(asked.type));
    writer.u16(asked.unicast_response ? class_internet | top_bit : class_internet);
  }
  for (const auto& record : message.addresses) {
    names.write(record.name);
    const auto type = record.address.is_v6() ? record_type::aaaa : record_type::a;
    writer.u16(static_cast<std::uint16_t>(type));
    writer.u16(record.cache_flush ? class_internet | top_bit : class_internet);
    writer.u32(record.ttl);
    const base::byte_span octets = record.address.octets();
    writer.u16(static_cast<std::uint16_t>(octets.size()));
    writer.append(octets);
  }
  for (const auto& record : message.sole_types) write_sole_type(record, writer, names);
  return out;
}

}  // namespace asiortc::mdns
