// Messages as the steered peers tell them; `messages.js` says how.
#pragma once

#include <asiortc/message.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace interop {

using json = nlohmann::json;

inline std::vector<std::uint8_t> pattern(bool text, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t index = 0; index < size; ++index) {
    bytes[index] = static_cast<std::uint8_t>(text ? 'a' + index % 26 : index * 31);
  }
  return bytes;
}

inline std::vector<std::uint8_t> from_hex(std::string_view hex) {
  std::vector<std::uint8_t> bytes(hex.size() / 2);
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    const std::string pair(hex.substr(2 * index, 2));
    bytes[index] = static_cast<std::uint8_t>(std::stoul(pair, nullptr, 16));
  }
  return bytes;
}

inline asiortc::message message_of(const json& told) {
  const bool text = told.at("text").get<bool>();
  if (!told.contains("content")) {
    return asiortc::message(pattern(text, told.at("size").get<std::size_t>()), text);
  }
  const auto content = told.at("content").get<std::string>();
  if (!text) return asiortc::message(from_hex(content), false);
  return asiortc::message(std::vector<std::uint8_t>(content.begin(), content.end()), true);
}

inline json describe(const asiortc::message& received) {
  constexpr std::size_t longest = 1024;
  json told;
  told["text"] = received.is_text();
  if (received.size() > longest) {
    std::uint32_t sum = 0x811c9dc5;  // FNV-1a
    for (const auto octet : received.bytes()) sum = (sum ^ octet) * 0x01000193U;
    told["size"] = received.size();
    told["sum"] = sum;
  } else if (received.is_text()) {
    told["content"] = std::string(received.text());
  } else {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const auto octet : received.bytes()) {
      hex += digits[octet >> 4U];
      hex += digits[octet & 15U];
    }
    told["content"] = hex;
  }
  return told;
}

}  // namespace interop
