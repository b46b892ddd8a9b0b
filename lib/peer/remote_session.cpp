#include "peer/remote_session.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::peer {
namespace {

// RFC 8839 5.4: "ufrag-att … 4*256ice-char", "password-att … 22*256ice-char".
constexpr std::size_t min_ufrag = 4;
constexpr std::size_t min_password = 22;
constexpr std::size_t max_credential = 256;

// A mid is a token without a bound of its own (RFC 5888 4); longer ones are nobody's.
constexpr std::size_t max_mid = 256;

// More than one is for the change of hashes (RFC 8122 5.1); nobody needs more than a few.
constexpr std::size_t max_fingerprints = 16;

using words = std::vector<std::string_view>;

words split(std::string_view text) {
  words found;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) found.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

bool contains(const words& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string name_of(const remote_session& session, std::size_t index) {
  return "m-section " + std::to_string(index) + " (" + session.sections[index].kind + ")";
}

base::failure malformed(std::string detail) { return {errc::syntax_error, std::move(detail)}; }

bool is_ice_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '/';
  });
}

std::optional<std::string_view> sctpmap_of(const sdp::media& media) {
  for (const auto value : media.attributes.values("sctpmap")) {
    const words parts = split(value);
    if (parts.size() >= 2 && parts[0] == media.formats && parts[1] == "webrtc-datachannel") {
      return value;
    }
  }
  return std::nullopt;
}

media_direction direction_of(const sdp::attribute_list& attributes) {
  if (attributes.has("inactive")) return media_direction::inactive;
  if (attributes.has("sendonly")) return media_direction::sendonly;
  if (attributes.has("recvonly")) return media_direction::recvonly;
  return media_direction::sendrecv;
}

class reader {
 public:
  explicit reader(sdp_type type) : type_(type) {}

  base::result<remote_session> read(std::string_view text) {
    auto parsed = sdp::parse(text);
    if (!parsed) return parsed.error();
    session_.description = std::move(*parsed);
    if (auto done = read_sections(); !done) return done.error();
    session_.trickle = has_ice_option("trickle");
    choose_sections();
    if (session_.data) {
      if (auto done = read_transport(); !done) return done.error();
      if (auto done = read_sctp(); !done) return done.error();
      if (auto done = read_candidates(); !done) return done.error();
    }
    return std::move(session_);
  }

 private:
  [[nodiscard]] const sdp::media& media(std::size_t index) const {
    return session_.description.sections[index];
  }

  base::result<void> read_sections() {
    group_ = sdp::bundle_group(session_.description).value_or(std::vector<std::string>{});
    for (const auto& media : session_.description.sections) {
      m_section section;
      section.kind = media.kind;
      section.direction = direction_of(media.attributes);
      section.protocol = media.protocol;
      section.formats = media.formats;
      if (const auto mid = media.attributes.value("mid")) {
        if (mid->empty() || mid->size() > max_mid || find_mid(*mid)) {
          return malformed("a=mid:" + std::string(mid->substr(0, max_mid)) +
                           ": a token of its own is expected in each m-section");
        }
        section.mid = std::string(*mid);
        section.bundled = std::find(group_.begin(), group_.end(), *mid) != group_.end();
      }
      // RFC 9143 6: in an offer, port zero and bundle-only is "only if bundled", not a rejection.
      const bool bundle_only =
          type_ == sdp_type::offer && section.bundled && media.attributes.has("bundle-only");
      section.stopped = media.port == 0 && !bundle_only;
      for (const auto& attribute : media.attributes.items) {
        if (attribute.name == "rtpmap" || attribute.name == "fmtp" || attribute.name == "rtcp-fb") {
          section.codecs.push_back(attribute);
        }
      }
      session_.sections.push_back(std::move(section));
    }
    for (const auto& mid : group_) {
      if (!find_mid(mid)) {
        return malformed("a=group:BUNDLE names the mid " + mid + ", which no m-section has");
      }
    }
    return {};
  }

  [[nodiscard]] std::optional<std::size_t> find_mid(std::string_view mid) const {
    for (std::size_t index = 0; index < session_.sections.size(); ++index) {
      if (session_.sections[index].mid == mid) return index;
    }
    return std::nullopt;
  }

  void choose_sections() {
    const auto& sections = session_.sections;
    for (std::size_t index = 0; index < sections.size() && !session_.data; ++index) {
      if (!sections[index].stopped && is_data_section(media(index))) session_.data = index;
    }
    if (!session_.data) return;
    session_.tag = *session_.data;
    if (!sections[*session_.data].bundled) return;
    // RFC 9143 7.2: the first mid of the group is the tagged one. One that we could not keep alive
    // in an answer (neither ours nor RTP) is passed over.
    for (const auto& mid : group_) {
      const std::size_t index = *find_mid(mid);
      const bool usable =
          index == *session_.data || sections[index].protocol.find("RTP/") != std::string::npos;
      if (sections[index].stopped || !usable) continue;
      session_.tag = index;
      return;
    }
  }

  /// Of the tagged section, else of the session, else of the data section.
  [[nodiscard]] std::optional<std::string_view> transport_value(std::string_view name) const {
    if (const auto own = media(session_.tag).attributes.value(name)) return own;
    if (const auto shared = session_.description.attributes.value(name)) return shared;
    return media(*session_.data).attributes.value(name);
  }

  [[nodiscard]] bool has_ice_option(std::string_view option) const {
    const auto listed = [option](const sdp::attribute_list& attributes) {
      const auto values = attributes.values("ice-options");
      return std::any_of(values.begin(), values.end(), [option](std::string_view value) {
        // RFC 8839 5.6 has spaces between the tags; libdatachannel writes commas.
        std::string tags(value);
        std::replace(tags.begin(), tags.end(), ',', ' ');
        return contains(split(tags), option);
      });
    };
    const auto& sections = session_.description.sections;
    return listed(session_.description.attributes) ||
           std::any_of(sections.begin(), sections.end(),
                       [&](const auto& section) { return listed(section.attributes); });
  }

  base::result<std::string> credential(std::string_view name, std::size_t minimum) {
    const auto value = transport_value(name);
    const std::string where = name_of(session_, session_.tag) + ": a=" + std::string(name);
    if (!value) return malformed(where + " is missing");
    if (value->size() < minimum || value->size() > max_credential) {
      return malformed(where + " has " + std::to_string(value->size()) + " characters, " +
                       std::to_string(minimum) + " to " + std::to_string(max_credential) +
                       " are expected");
    }
    if (!is_ice_text(*value)) return malformed(where + " has characters other than ice-char");
    return std::string(*value);
  }

  base::result<void> read_transport() {
    auto& transport = session_.transport;
    auto ufrag = credential("ice-ufrag", min_ufrag);
    if (!ufrag) return ufrag.error();
    auto password = credential("ice-pwd", min_password);
    if (!password) return password.error();
    transport.credentials = {std::move(*ufrag), std::move(*password)};
    transport.lite = session_.description.attributes.has("ice-lite");
    if (const auto tls_id = transport_value("tls-id")) transport.tls_id = std::string(*tls_id);
    if (auto done = read_setup(); !done) return done.error();
    return read_fingerprints();
  }

  base::result<void> read_setup() {
    const std::string where = name_of(session_, session_.tag) + ": a=setup";
    const auto value = transport_value("setup");
    // RFC 4145 4.1: "The default value of the setup attribute in an offer/answer exchange is
    // 'active' in the offer and 'passive' in the answer."
    const bool offer = type_ == sdp_type::offer;
    if (!value) {
      session_.transport.setup = offer ? sdp::setup_role::active : sdp::setup_role::passive;
      return {};
    }
    const auto role = sdp::parse_setup(*value);
    if (!role) return malformed(where + ":" + std::string(*value) + " is not a role");
    if (*role == sdp::setup_role::holdconn) {
      return base::failure{errc::not_supported, where + ":holdconn is not supported"};
    }
    if (!offer && *role == sdp::setup_role::actpass) {
      return malformed(where + ":actpass in an answer; active or passive is expected");
    }
    session_.transport.setup = *role;
    return {};
  }

  base::result<void> read_fingerprints() {
    const std::string where = name_of(session_, session_.tag) + ": a=fingerprint";
    words values = media(session_.tag).attributes.values("fingerprint");
    if (values.empty()) values = session_.description.attributes.values("fingerprint");
    if (values.empty()) values = media(*session_.data).attributes.values("fingerprint");
    if (values.empty()) return malformed(where + " is missing");
    if (values.size() > max_fingerprints) values.resize(max_fingerprints);
    for (const auto value : values) {
      auto fingerprint = crypto::fingerprint::parse(value);
      if (fingerprint) {
        session_.transport.fingerprints.push_back(std::move(*fingerprint));
      } else if (fingerprint.error().code != make_error_code(errc::not_supported)) {
        return malformed(where + ": " + fingerprint.error().detail);
      }
    }
    if (session_.transport.fingerprints.empty()) {
      return base::failure{errc::not_supported, where + " has no hash function that we know"};
    }
    return {};
  }

  base::result<void> read_sctp() {
    const auto& section = media(*session_.data);
    const std::string where = name_of(session_, *session_.data) + ": ";
    std::string_view port = section.attributes.value("sctp-port").value_or("");
    if (section.protocol == "DTLS/SCTP") port = section.formats;
    if (!port.empty() || section.attributes.has("sctp-port")) {
      const auto number = sdp::parse_number(port, 65535);
      // RFC 8841 5.2: port zero asks to close the association, which the port of m= does for us.
      if (!number || *number == 0) {
        return malformed(where + "the SCTP port is " + std::string(port) +
                         ", 1 to 65535 is expected");
      }
      session_.sctp.port = static_cast<std::uint16_t>(*number);
    }
    if (const auto size = section.attributes.value("max-message-size")) {
      const auto number = sdp::parse_number(*size, UINT64_MAX);
      if (!number) return malformed(where + "a=max-message-size is not a number");
      session_.sctp.max_message_size = *number;
    }
    return {};
  }

  /// Of the tagged section, and of others of its group that name the same credentials.
  base::result<void> read_candidates() {
    for (std::size_t index = 0; index < session_.sections.size(); ++index) {
      const auto& attributes = media(index).attributes;
      const auto ufrag = attributes.value("ice-ufrag");
      const bool same = !ufrag || *ufrag == session_.transport.credentials.ufrag;
      if (!session_.carries(index) || !same) continue;
      for (const auto value : attributes.values("candidate")) {
        auto candidate = ice::parse_candidate(value);
        if (candidate) {
          session_.candidates.push_back(std::move(*candidate));
        } else if (candidate.error().code != make_error_code(errc::not_supported)) {
          return malformed(name_of(session_, index) + ": a=candidate: " + candidate.error().detail);
        }
      }
      if (attributes.has("end-of-candidates")) session_.candidates_ended = true;
    }
    if (session_.description.attributes.has("end-of-candidates")) session_.candidates_ended = true;
    return {};
  }

  sdp_type type_;
  remote_session session_;
  std::vector<std::string> group_;
};

}  // namespace

bool is_data_section(const sdp::media& media) {
  if (media.kind != "application") return false;
  if (media.protocol == "UDP/DTLS/SCTP" || media.protocol == "TCP/DTLS/SCTP") {
    return contains(split(media.formats), "webrtc-datachannel");
  }
  return media.protocol == "DTLS/SCTP" && sctpmap_of(media).has_value();
}

base::result<remote_session> read_remote_session(sdp_type type, std::string_view text) {
  return reader(type).read(text);
}

}  // namespace asiortc::peer
