#include "sdp/description.hpp"

namespace asiortc::sdp {
namespace {

// RFC 8866 5: lines end with CRLF, the last one too.
constexpr std::string_view line_end = "\r\n";

void write(std::string& out, const std::vector<line>& lines) {
  for (const line& one : lines) {
    out += one.type;
    out += '=';
    out += one.value;
    out += line_end;
  }
}

void write(std::string& out, const attribute_list& attributes) {
  for (const attribute& one : attributes.items) {
    out += "a=";
    out += one.name;
    if (one.value) {
      out += ':';
      out += *one.value;
    }
    out += line_end;
  }
}

void write(std::string& out, const media& section) {
  out += "m=";
  out += section.kind;
  out += ' ';
  out += std::to_string(section.port);
  if (section.port_count) {
    out += '/';
    out += std::to_string(*section.port_count);
  }
  out += ' ';
  out += section.protocol;
  out += ' ';
  out += section.formats;
  out += line_end;
  write(out, section.lines);
  write(out, section.attributes);
}

}  // namespace

std::string description::to_string() const {
  std::string out;
  write(out, lines);
  write(out, attributes);
  for (const media& section : sections) write(out, section);
  return out;
}

}  // namespace asiortc::sdp
