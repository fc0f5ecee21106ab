#include "pipeline/decode.hpp"

#include "api/faults.hpp"
#include "base/text.hpp"
#include "wire/json_array.hpp"

#include <cstring>

namespace openrd::pipeline {
namespace {
using api::Fault;
using api::FieldFacts;
using api::Form;
using api::Notation;
using api::Presence;
using api::Rule;
using api::Type;

std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

[[noreturn]] void refuse(const api::FaultKind* kind, std::string_view name) { throw Fault(kind ? *kind : fault::invalid_value).about(name); }

std::int64_t integer(const Type& type, const void* p) { return type.form == Form::int32 ? *static_cast<const std::int32_t*>(p) : *static_cast<const std::int64_t*>(p); }
void set_integer(const Type& type, void* p, std::int64_t value) {
    if (type.form == Form::int32) *static_cast<std::int32_t*>(p) = static_cast<std::int32_t>(value);
    else *static_cast<std::int64_t*>(p) = value;
}

void read_value(const FieldFacts& f, const Type& type, void* to, std::string_view value, std::string_view name) {
    const Rule& rule = *f.rule;
    if (type.form == Form::text) {
        if (rule.length.least != 0 || rule.length.most != api::Length{}.most) {
            const auto n = characters(value);
            if (n < rule.length.least || n > rule.length.most) refuse(rule.wrong_length_as ? rule.wrong_length_as : rule.refused_as, name);
        }
        if (rule.alphabet.given() && !std::ranges::all_of(value, [&](char c) { return rule.alphabet.has(c); })) refuse(rule.refused_as, name);
        if (rule.alphabet.beyond_ascii() && base::has_invisible(value)) refuse(rule.refused_as, name);
        if (rule.one_of.size() != 0 && std::ranges::none_of(rule.one_of, [&](const api::Word& w) { return w.text == value; })) refuse(rule.refused_as, name);
        if (rule.holds && !rule.holds(value)) refuse(rule.refused_as, name);
    }
    if (!type.read || !type.read(value, to)) refuse(rule.refused_as, name);
    if (type.form == Form::int32 || type.form == Form::int64) {
        const auto n = integer(type, to);
        if (n < rule.range.least || n > rule.range.most) {
            if (!rule.range.clamps) refuse(rule.refused_as, name);
            set_integer(type, to, std::clamp(n, rule.range.least, rule.range.most));
        }
    }
}

// Decodes one level: `path` is empty or ends with a dot ("Tag.3."), and is given back as it came.
class Decoder {
  public:
    Decoder(const wire::Parameters& parameters, api::Version version) : parameters_(parameters), version_(version) {}

    void fields(api::FieldList list, void* object) {
        for (const FieldFacts& f : list)
            if (f.versions.has(version_)) one(f, const_cast<void*>(f.member(object)));
    }

  private:
    void one(const FieldFacts& f, void* member) {
        if (f.notation == Notation::group) return fields(f.fields, member);
        const auto length = path_.size();
        path_ += f.name;
        if (f.notation == Notation::numbered) numbered(f, member);
        else if (f.notation == Notation::array) array(f, member);
        else if (f.type->form == Form::object) object(f, member);
        else value(f, member);
        path_.resize(length);
    }

    void value(const FieldFacts& f, void* member) {
        const std::string* given = parameters_.find(path_);
        if (!given || given->empty()) {
            if (f.presence == Presence::required) absent(f, given != nullptr);
            return;  // an optional one keeps the value the struct gives it
        }
        const Type& type = f.type->optional ? *f.type->inside : *f.type;
        read_value(f, type, f.type->optional ? f.type->make(member) : member, *given, path_);
    }

    void object(const FieldFacts& f, void* member) {
        path_ += '.';
        if (parameters_.below(path_).empty()) {
            path_.pop_back();
            if (f.presence == Presence::required) absent(f, false);
            return;
        }
        fields(f.fields, f.type->optional ? f.type->make(member) : member);
    }

    void numbered(const FieldFacts& f, void* member) {
        const auto name_length = path_.size();
        path_ += '.';
        std::vector<std::uint32_t> indexes;  // in numeric order, gaps allowed
        for (const auto& [name, value] : parameters_.below(path_)) {
            const char* from = name.data() + path_.size();
            const char* end = name.data() + name.size();
            std::uint32_t n = 0;
            const auto [stop, error] = std::from_chars(from, end, n);
            if (error == std::errc{} && n != 0 && *from != '0' && (stop == end || *stop == '.') && (indexes.empty() || indexes.back() != n)) indexes.push_back(n);
        }
        std::ranges::sort(indexes);
        indexes.erase(std::ranges::unique(indexes).begin(), indexes.end());
        path_.resize(name_length);
        if (indexes.size() > f.at_most) refuse(f.rule->refused_as, path_);
        if (indexes.empty()) {
            if (f.presence == Presence::required) absent(f, false);
            return;
        }
        const Type& list = f.type->optional ? *f.type->inside : *f.type;
        void* const elements = f.type->optional ? f.type->make(member) : member;
        for (const auto n : indexes) {
            path_.resize(name_length);
            path_ += '.';
            char digits[12];
            path_.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
            void* const element = list.make(elements);
            if (list.inside->form == Form::object) {
                path_ += '.';
                fields(f.fields, element);
            } else if (const std::string* given = parameters_.find(path_)) {
                read_value(f, *list.inside, element, *given, path_);
            }
        }
        path_.resize(name_length);
    }

    void array(const FieldFacts& f, void* member) {
        const std::string* given = parameters_.find(path_);
        if (!given || given->empty()) {
            if (parameters_.below(path_ + ".").empty() && f.presence == Presence::required) absent(f, given != nullptr);
            return numbered(f, member);  // old SDKs write the numbered form here too
        }
        std::vector<wire::Parameters::Entry> flat;
        if (!wire::flatten_json_array(path_, *given, flat)) refuse(f.rule->refused_as, path_);
        const wire::Parameters inside(std::move(flat));
        Decoder decoder(inside, version_);
        decoder.path_ = path_;
        decoder.numbered(f, member);
    }

    [[noreturn]] void absent(const FieldFacts& f, bool given_empty) {
        if (given_empty && f.rule->empty_as) throw Fault(*f.rule->empty_as).about(path_);
        throw Fault(fault::missing).about(path_);
    }

    const wire::Parameters& parameters_;
    api::Version version_;
    std::string path_;
};

// What is known of the parameters at and below `path` ("", "Tag.3."). A field that is not declared is not known.
void known_fields(api::FieldList list, const std::string& path, const wire::Parameters& parameters, std::vector<KnownParameter>& out) {
    for (const FieldFacts& f : list) {
        if (f.notation == Notation::group) {
            known_fields(f.fields, path, parameters, out);
            continue;
        }
        const auto name = path + std::string(f.name);
        const auto kind = f.type->personal ? Confidence::personal : f.type->secret ? Confidence::secret : Confidence::open;
        const auto add = [&](const std::string& at, const std::string& value) {
            if (std::ranges::none_of(out, [&](const KnownParameter& k) { return k.name == at; })) out.push_back({at, value, kind});
        };
        if (const auto* value = parameters.find(name)) add(name, *value);
        if (f.type->form == Form::object) known_fields(f.fields, name + ".", parameters, out);
        if (f.type->form != Form::list) continue;
        for (const auto& [at, value] : parameters.below(name + ".")) {
            const auto dot = at.find('.', name.size() + 1);
            if (f.fields.count == 0) add(at, value);
            else if (dot != at.npos) known_fields(f.fields, at.substr(0, dot + 1), parameters, out);
        }
    }
}
}  // namespace

api::Boxed decode(const api::AnyOperation& operation, const wire::Parameters& parameters, api::Version version) {
    auto request = operation.new_request();
    Decoder(parameters, version).fields(operation.parameters, request.get());
    return request;
}

std::vector<KnownParameter> known_parameters(const api::AnyOperation& operation, const wire::Parameters& parameters) {
    std::vector<KnownParameter> out;
    known_fields(operation.parameters, {}, parameters, out);
    std::ranges::sort(out, {}, &KnownParameter::name);
    return out;
}

}  // namespace openrd::pipeline
