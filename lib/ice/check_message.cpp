#include "ice/check_message.hpp"

#include "stun/message_builder.hpp"

namespace asiortc::ice {
namespace {

using stun::attribute_type;
using stun::message_builder;
using stun::message_class;

base::bytes seal(message_builder& message, const std::string& password) {
  message.add_integrity(base::as_bytes(password)).add_fingerprint();
  return std::move(message).take();
}

message_builder answer_to(const stun::message_view& request, message_class kind) {
  return {kind, stun::method::binding, request.transaction()};
}

}  // namespace

stun::transaction_id make_transaction_id(base::random_source& random) {
  stun::transaction_id id{};
  random.fill(id);
  return id;
}

base::bytes build_check(const check_request& request, const credentials& local,
                        const credentials& remote) {
  message_builder message(message_class::request, stun::method::binding, request.id);
  message.add_text(attribute_type::username, remote.ufrag + ":" + local.ufrag)
      .add_u32(attribute_type::priority, request.priority)
      .add_u64(request.as == role::controlling ? attribute_type::ice_controlling
                                               : attribute_type::ice_controlled,
               request.tie_breaker);
  if (request.use_candidate) message.add_flag(attribute_type::use_candidate);
  return seal(message, remote.password);
}

base::bytes build_success(const stun::message_view& request, const base::endpoint& mapped,
                          const credentials& local) {
  message_builder message = answer_to(request, message_class::success);
  message.add_xor_address(attribute_type::xor_mapped_address, mapped);
  return seal(message, local.password);
}

base::bytes build_error(const stun::message_view& request, std::uint16_t code,
                        std::string_view reason, const credentials& local) {
  message_builder message = answer_to(request, message_class::error);
  message.add_error(code, reason);
  return seal(message, local.password);
}

base::bytes build_unknown_attribute(const stun::message_view& request,
                                    const stun::unknown_types& unknown, const credentials& local) {
  message_builder message = answer_to(request, message_class::error);
  message.add_error(stun::error_unknown_attribute, "Unknown Attribute")
      .add_unknown_attributes(unknown.list());
  return seal(message, local.password);
}

base::bytes build_server_request(const stun::transaction_id& id) {
  message_builder message(message_class::request, stun::method::binding, id);
  message.add_fingerprint();
  return std::move(message).take();
}

std::optional<user_name_view> read_user_name(const stun::message_view& request) {
  const auto text = request.find_text(attribute_type::username);
  if (!text) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return user_name_view{text->substr(0, colon), text->substr(colon + 1)};
}

std::optional<check_view> read_check(const stun::message_view& request) {
  const auto priority = request.find_u32(attribute_type::priority);
  if (!priority) return std::nullopt;
  check_view check;
  check.priority = *priority;
  check.use_candidate = request.has(attribute_type::use_candidate);
  if (const auto controlling = request.find_u64(attribute_type::ice_controlling)) {
    check.sender_role = role::controlling;
    check.tie_breaker = *controlling;
  } else if (const auto controlled = request.find_u64(attribute_type::ice_controlled)) {
    check.sender_role = role::controlled;
    check.tie_breaker = *controlled;
  }
  return check;
}

}  // namespace asiortc::ice
