#include "peer/local_session.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::peer {
namespace {

bool is_mid_used(const std::vector<m_section>& sections, const std::string& mid) {
  return std::any_of(sections.begin(), sections.end(),
                     [&mid](const m_section& section) { return section.mid == mid; });
}

std::string unused_mid(const std::vector<m_section>& sections, std::size_t first) {
  std::string mid = std::to_string(first);
  while (is_mid_used(sections, mid)) mid = std::to_string(++first);
  return mid;
}

void add_transport(sdp::attribute_list& attributes, const local_facts& facts,
                   sdp::setup_role setup) {
  attributes.add("ice-ufrag", facts.credentials.ufrag);
  attributes.add("ice-pwd", facts.credentials.password);
  attributes.add("fingerprint", facts.fingerprint);
  attributes.add("setup", std::string(sdp::to_string(setup)));
}

void add_sctp(sdp::media& media, const local_facts& facts) {
  const std::string port = std::to_string(default_sctp_port);
  if (media.protocol == "DTLS/SCTP") {
    // The form of the drafts before RFC 8841, which old peers speak and expect back.
    media.formats = port;
    media.attributes.add("sctpmap", port + " webrtc-datachannel 65535");
  } else {
    media.formats = "webrtc-datachannel";
    media.attributes.add("sctp-port", port);
  }
  media.attributes.add("max-message-size", std::to_string(facts.max_message_size));
}

sdp::media write_section(const local_facts& facts, const m_section& section,
                         sdp::setup_role setup) {
  sdp::media media;
  media.kind = section.kind;
  media.protocol = section.protocol;
  media.formats = section.formats;
  // RFC 9429 5.2.1: port 9 and 0.0.0.0 stand for "no default candidate yet".
  media.port = section.stopped ? 0 : 9;
  media.lines.push_back({'c', "IN IP4 0.0.0.0"});
  if (section.stopped) {
    if (section.mid) media.attributes.add("mid", *section.mid);
    return media;
  }
  add_transport(media.attributes, facts, setup);
  if (section.mid) media.attributes.add("mid", *section.mid);
  if (section.is_live_data()) {
    add_sctp(media, facts);
    return media;
  }
  media.attributes.add("inactive");
  media.attributes.add("rtcp-mux");
  for (const auto& codec : section.codecs) media.attributes.items.push_back(codec);
  return media;
}

/// RFC 9143 7: the mids of what is bundled and alive; the first is the tagged one, which is the
/// index given, or else returned.
std::optional<std::size_t> add_bundle_group(local_session& session,
                                            std::optional<std::size_t> tag) {
  const auto member = [&session](std::size_t index) {
    const auto& section = session.sections[index];
    return section.bundled && !section.stopped && section.mid;
  };
  if (tag && !member(*tag)) tag.reset();
  std::string rest;
  for (std::size_t index = 0; index < session.sections.size(); ++index) {
    if (!member(index)) continue;
    if (!tag) tag = index;
    if (index != *tag) rest += " " + *session.sections[index].mid;
  }
  if (tag) {
    session.description.attributes.add("group", "BUNDLE " + *session.sections[*tag].mid + rest);
  }
  return tag;
}

}  // namespace

std::vector<m_section> plan_offer(const std::vector<m_section>& negotiated, bool data_wanted) {
  std::vector<m_section> sections = negotiated;
  if (data_wanted && std::none_of(sections.begin(), sections.end(), [](const m_section& section) {
        return section.is_live_data();
      })) {
    m_section data;
    data.kind = "application";
    data.direction = media_direction::sendrecv;
    data.protocol = "UDP/DTLS/SCTP";
    // RFC 9429 5.2.2: the place of a section that was rejected or stopped is used again, with a mid
    // of its own.
    const auto stopped = std::find_if(sections.begin(), sections.end(),
                                      [](const m_section& section) { return section.stopped; });
    if (stopped != sections.end()) {
      data.mid = unused_mid(sections, sections.size());
      *stopped = std::move(data);
    } else {
      sections.push_back(std::move(data));
    }
  }
  for (std::size_t index = 0; index < sections.size(); ++index) {
    if (!sections[index].mid) sections[index].mid = unused_mid(sections, index);
    sections[index].bundled = !sections[index].stopped;
  }
  return sections;
}

std::vector<m_section> plan_answer(const remote_session& offer) {
  std::vector<m_section> sections = offer.sections;
  for (std::size_t index = 0; index < sections.size(); ++index) {
    const bool data = offer.data && index == *offer.data;
    // Rejecting the tagged section would reject the whole group (RFC 9143 7.3.3).
    const bool tagged = offer.data && index == offer.tag;
    sections[index].stopped = !data && !tagged;
    sections[index].direction = data ? media_direction::sendrecv : media_direction::inactive;
    if (sections[index].stopped) sections[index].bundled = false;
  }
  return sections;
}

local_session write_session(const local_facts& facts, std::vector<m_section> sections,
                            sdp::setup_role setup, std::optional<std::size_t> tag) {
  local_session session;
  session.sections = std::move(sections);
  session.credentials = facts.credentials;
  auto& description = session.description;
  description.lines = {{'v', "0"},
                       {'o', "- " + std::to_string(facts.session_id) + " " +
                                 std::to_string(facts.session_version) + " IN IP4 127.0.0.1"},
                       {'s', "-"},
                       {'t', "0 0"}};
  tag = add_bundle_group(session, tag);
  if (facts.lite) description.attributes.add("ice-lite");
  description.attributes.add("ice-options", "trickle ice2");
  for (std::size_t index = 0; index < session.sections.size(); ++index) {
    const auto& section = session.sections[index];
    description.sections.push_back(write_section(facts, section, setup));
    if (section.is_live_data() && !session.data) session.data = index;
  }
  if (session.data) {
    session.tag = *session.data;
    if (tag && session.sections[*session.data].bundled) session.tag = *tag;
  }
  return session;
}

std::string to_text(const local_session& session, const local_generation* candidates) {
  if (!session.data || candidates == nullptr || candidates->ufrag != session.credentials.ufrag) {
    return session.description.to_string();
  }
  sdp::description description = session.description;
  auto& attributes = description.sections[session.tag].attributes;
  constexpr std::string_view prefix = "candidate:";
  for (const auto& candidate : candidates->candidates) {
    attributes.add("candidate", candidate.substr(prefix.size()));
  }
  if (candidates->complete) attributes.add("end-of-candidates");
  return description.to_string();
}

}  // namespace asiortc::peer
