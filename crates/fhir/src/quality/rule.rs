//! The rules' codes, severities and sentences, in one table.

use serde::{Deserialize, Serialize};

/// What is done about a finding, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is said.
    Note,
    /// A person decides.
    Flag,
    /// The file goes back.
    Refuse,
}

impl Severity {
    /// The stable name, as serde writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Flag => "flag",
            Self::Refuse => "refuse",
        }
    }
}

/// Languages of the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $code:literal $severity:ident $en:literal $zh:literal;)*) => {
        /// A quality rule. The code never changes its meaning; sentences may be reworded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$name),*];

            /// The stable code, as serde writes it.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is done about what it finds.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// The sentence, with the names of the compared values in braces.
            #[must_use]
            pub fn template(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::En) => $en, (Self::$name, Language::Zh) => $zh,)*
                }
            }
        }
    };
}

rules! {
    /// GB 11643 check digit.
    IdentityNumberCheckDigit "identity_number_check_digit" Refuse
        "the resident identity number ends in {found}, but its first 17 digits demand {expected}: it was mistyped"
        "居民身份证号码末位是 {found}，按前17位应为 {expected}：号码录入有误";
    /// Declared as a resident identity number, but not of its form.
    IdentityNumberMalformed "identity_number_malformed" Flag
        "the resident identity number is not 17 digits and a check character, or holds a day or region that does not exist"
        "居民身份证号码不是17位数字加校验码，或其中的日期、地区不存在";
    /// Birth date inside the number against Patient.
    IdentityNumberBirthDate "identity_number_birth_date" Refuse
        "the birth date is {stated}, but the resident identity number says {in_number}: one of them is somebody else's"
        "出生日期为 {stated}，而身份证号码中为 {in_number}：其中之一属于他人";
    /// Sex inside the number against Patient.
    IdentityNumberSex "identity_number_sex" Flag
        "the administrative gender is {stated}, but the resident identity number says {in_number}"
        "登记性别为 {stated}，而身份证号码表示 {in_number}";
    /// Looks like a number with a wrong check digit, but nothing declares it as one.
    IdentityNumberDoubtful "identity_number_doubtful" Note
        "an identifier has the form of a resident identity number, but a wrong check character"
        "某标识符形似居民身份证号码，但校验码不符";
    /// Patient.birthDate is no date.
    BirthDateMalformed "birth_date_malformed" Flag
        "the birth date {date} is not a date"
        "出生日期 {date} 不是有效日期";
    /// Born after today.
    BirthDateInFuture "birth_date_in_future" Refuse
        "the birth date {date} is in the future"
        "出生日期 {date} 在未来";
    /// Older than anybody ever was.
    AgeImpossible "age_impossible" Refuse
        "born {born}, the patient would be {age} years old; nobody has become older than {limit}"
        "出生于 {born}，患者年龄将为 {age} 岁，超过人类最高年龄 {limit} 岁";
    /// Died before being born.
    DeathBeforeBirth "death_before_birth" Refuse
        "the patient died {died}, before the birth date {born}"
        "死亡日期 {died} 早于出生日期 {born}";
    /// Dies in the future.
    DeathInFuture "death_in_future" Refuse
        "the date of death {date} is in the future"
        "死亡日期 {date} 在未来";
    /// A record's stated age against the birth date.
    AgeDiffers "age_differs" Flag
        "it states an age of {stated} years, but the birth date makes it {computed}"
        "记录的年龄为 {stated} 岁，按出生日期应为 {computed} 岁";
    /// A date that is none.
    DateMalformed "date_malformed" Flag
        "{date} is not a date or time that FHIR knows"
        "{date} 不是 FHIR 能识别的日期或时间";
    /// What has happened can't have a date in the future.
    DateInFuture "date_in_future" Flag
        "it happened {date}, which is in the future"
        "已发生的事件日期 {date} 在未来";
    /// A record older than its patient.
    BeforeBirth "before_birth" Flag
        "its date {date} is before the patient's birth ({born})"
        "日期 {date} 早于患者出生日期（{born}）";
    /// Ends before it starts.
    PeriodReversed "period_reversed" Flag
        "it ends {end}, before its start {start}"
        "结束时间 {end} 早于开始时间 {start}";
    /// Results published before they were taken.
    IssuedBeforeEffective "issued_before_effective" Flag
        "it was issued {issued}, before the observation itself ({effective})"
        "发布时间 {issued} 早于检查时间 {effective}";
    /// Written down before it began.
    RecordedBeforeOnset "recorded_before_onset" Flag
        "it was recorded {recorded}, before its onset {onset}"
        "记录时间 {recorded} 早于起病时间 {onset}";
    /// Over before it began.
    AbatedBeforeOnset "abated_before_onset" Flag
        "it was over {abated}, before its onset {onset}"
        "缓解时间 {abated} 早于起病时间 {onset}";
    /// Outside what a living person can have.
    ValueImpossible "value_impossible" Refuse
        "{measure} {value} is impossible in a living person (possible: {low} to {high})"
        "{measure} {value} 在活人身上不可能出现（可能范围：{low} 至 {high}）";
    /// Possible but very rare.
    ValueImplausible "value_implausible" Flag
        "{measure} {value} is very unusual (plausible: {low} to {high})"
        "{measure} {value} 极为罕见（合理范围：{low} 至 {high}）";
    /// The number fits another usual unit.
    UnitConfused "unit_confused" Flag
        "{measure} {value} can hardly be; with the unit {likely} it would be ordinary"
        "{measure} {value} 几乎不可能；若单位为 {likely} 则属正常";
    /// No unit, where the number alone is dangerous.
    UnitMissing "unit_missing" Flag
        "{measure} {value} has no unit"
        "{measure} {value} 没有单位";
    /// A unit of another kind of quantity.
    UnitWrongKind "unit_wrong_kind" Flag
        "{measure} cannot be measured in {unit}"
        "{measure} 不能以 {unit} 为单位";
    /// A unit that the rule does not know.
    UnitUnknown "unit_unknown" Note
        "{measure} is given in {unit}, a unit that is not checked"
        "{measure} 使用了未检查的单位 {unit}";
    /// Diastolic at or above systolic.
    BloodPressureReversed "blood_pressure_reversed" Flag
        "blood pressure {systolic} / {diastolic}: the systolic value is not above the diastolic one"
        "血压 {systolic} / {diastolic}：收缩压不高于舒张压";
    /// 12/8 for 120/80, or kPa written as mmHg.
    BloodPressureScale "blood_pressure_scale" Flag
        "blood pressure {systolic} / {diastolic} cannot be; meant may be {times_ten} mm[Hg], or kPa ({as_kpa} mm[Hg])"
        "血压 {systolic} / {diastolic} 不可能；可能应为 {times_ten} mm[Hg]，或单位为 kPa（{as_kpa} mm[Hg]）";
    /// Blood groups do not change.
    BloodGroupChanged "blood_group_changed" Flag
        "the blood group is {found}, but {known} by {source}"
        "血型为 {found}，但 {source} 为 {known}";
    /// An element that base R4 demands.
    RequiredMissing "required_missing" Flag
        "it has no {element}, which FHIR demands"
        "缺少 FHIR 必填项 {element}";
    /// A code outside a required value set.
    RequiredCode "required_code" Flag
        "{element} is {found}, which is none of FHIR's codes for it"
        "{element} 的值 {found} 不在 FHIR 规定的代码内";
    /// A code alone, of which nobody can tell what it means.
    CodeWithoutSystem "code_without_system" Note
        "the code {found} comes without its system"
        "代码 {found} 没有注明代码系统";
    /// A reference that can only lead to an entry of the file, and does not.
    ReferenceDangling "reference_dangling" Flag
        "it refers to {reference}, which is nowhere in the file"
        "引用的 {reference} 不在文件中";
    /// A reference to something that the sender has and the file has not.
    ReferenceOutside "reference_outside" Note
        "it refers to {reference}, which is not in the file"
        "引用的 {reference} 未包含在文件中";
    /// Verhoeff, mod 10 or form of a code.
    CodeMalformed "code_malformed" Note
        "{code} cannot be a code of {system}: its form or check digit is wrong"
        "{code} 不可能是 {system} 的代码：格式或校验码有误";
    /// FHIR before R4.
    OlderRelease "older_release" Flag
        "it has the form of a FHIR release before R4 ({element})"
        "采用了 R4 之前的 FHIR 格式（{element}）";
    /// FHIR after R4.
    NewerRelease "newer_release" Note
        "it has the form of FHIR R5 ({element}); it is kept as it is"
        "采用了 FHIR R5 的格式（{element}），按原样保存";
}
