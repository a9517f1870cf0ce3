# Amulet in English. Words a neighbour uses; who, what, until when, why, in that order.

## The frame
app-name = Amulet
document-title = { $page } – Amulet
language-own-name = English
language-en = English
language-zh = 中文 (Chinese)
skip-to-content = Skip to the content
starting = Starting and finding the hospitals …
loading = One moment …
working = Working …
back = Back
continue = Continue
show = Show
hide = Hide
see = See
you = You
try-again = Try again
keep-it = Keep it
sentences = { $first } { $second }
list-separator = ,{" "}
n-of-m = { $n } of { $m } hospitals
nav-label = Places
nav-home = Home
nav-records = Records
nav-sharing = Sharing
nav-card = Card
nav-log = Access log
nav-scan = Scan
nav-ask = Ask
nav-accesses = My accesses
nav-intake = Bring in
not-found-title = There is no such page
not-found-text = The address may be old or mistyped. Nothing is lost.
not-found-go = Go to the first page

## Time
ago-now = just now
ago-minutes = { $n ->
    [one] a minute ago
   *[other] { $n } minutes ago
}
ago-hours = { $n ->
    [one] an hour ago
   *[other] { $n } hours ago
}
ago-days = { $n ->
    [one] a day ago
   *[other] { $n } days ago
}
span-seconds = { $n ->
    [one] 1 second
   *[other] { $n } seconds
}
span-minutes = { $n ->
    [one] 1 minute
   *[other] { $n } minutes
}
span-hours = { $n ->
    [one] 1 hour
   *[other] { $n } hours
}
span-days = { $n ->
    [one] 1 day
   *[other] { $n } days
}
time-left = { $time } left
days-left = { $n } days left
time-over = The time is over
no-date = Without a date
record-moment = { $day }, { $clock }
period-from = from { $from }
period-to = until { $to }
age = { $n ->
    [one] 1 year old
   *[other] { $n } years old
}
born = born { $date }

## People
role-patient = Patient
role-clinician = Clinician
who-code = the person with the code { $code }
who = { $name } ({ $department }, { $hospital })
staff = everybody who practises at { $hospital }
staff-department = everybody in { $department } at { $hospital }
staff-role = every { $role } at { $hospital }
staff-department-role = every { $role } in { $department } at { $hospital }
study-of = the study “{ $title }” of { $hospital }
role-attending = senior physician
role-resident = physician
role-intern = trainee
role-nurse = nurse
role-pharmacist = pharmacist
role-technician = technician
role-researcher = researcher
role-assessor = claims assessor

## Welcome
welcome-title = Your records. Your say.
welcome-lead = Amulet keeps your medical records with you. You decide who may read them, for how long and why.
welcome-promise-keys = Your keys stay on this device. Nobody can open your records without them.
welcome-promise-decide = You say yes or no to every request, and can take a yes back at any time.
welcome-promise-log = You see every access, with proof that nothing was left out.
welcome-on-device = On this device
welcome-create = Create a wallet
welcome-restore = I have a wallet already
welcome-checkpoint = Start from another device’s ten words
demo-title = Demonstration
demo-text = Invented people to try Amulet with. Their passphrase is shown where the demonstration was started.
demo-open-as = Open as { $name }

## Create and restore
step-of = Step { $n } of { $total }
create-words-title = Write down your 12 words
create-words-lead = These words are the only way to get your wallet back if this device is lost. Write them on paper, in order.
create-words-warning = Whoever has these words can read your records. Show them to nobody, take no photo, and do not send them.
create-words-written = I have written them down
words-language = Language of the words
words-chinese = Chinese words (中文)
words-english = English words
create-check-title = Check what you wrote
create-check-lead = Type these words from your paper.
word-number = Word { $n }
word-differs = This is not word { $n }. Look at your paper again, or go back to see the words.
create-owner-title = Who are you?
owner-name = Your name
owner-name-hint = As you write it. Doctors see it on your card.
owner-name-missing = Type your name to go on.
owner-hospital = Your hospital
owner-hospital-hint = The one where you are treated. It can put records into your wallet.
owner-hospital-missing = Choose your hospital to go on.
create-passphrase-title = Choose a passphrase
create-passphrase-lead = It opens the wallet on this device. Several words in a row are easy to remember and hard to guess.
passphrase = Passphrase
passphrase-again = Passphrase again
passphrase-missing = Type a passphrase to go on.
passphrase-too-weak = This passphrase is too easy to guess. Make it stronger to go on.
passphrase-differs = The two passphrases are not the same. Type it again.
strength-label = Strength of the passphrase
strength-weak = Weak.
strength-fair = Fair.
strength-good = Good.
strength-strong = Strong.
strength-not-yet = Not enough yet.
strength-advice = Four words that do not belong together are a good start.
hint-longer = Make it longer.
hint-common = Attackers try this one first.
hint-pattern = Avoid repeats and rows such as 1234.
hint-more-words = Add a word or two.
create-submit = Create my wallet
create-done-title = Your wallet is ready
create-done-text = { $name }, the hospitals have agreed on your new identity. It is yours alone.
create-done-next = Next: make an emergency card, and show your code at your hospital to receive your records.
create-done-open = Open my wallet
restore-words-title = Type your recovery words
restore-words = Recovery words
restore-words-hint = All 12, in order, with a space between them. Chinese words need no space.
restore-submit = Restore my wallet
unlock-title = Hello, { $name }
unlock = Open
remove-wallet = Remove this wallet from this device
remove-title = Remove { $name }’s wallet from this device?
remove-text = You lose the keys on this device. Your records stay at the hospitals, but only your 12 recovery words bring them back. Without the words, nobody can.
remove-confirm = Remove the wallet

## Progress
progress-label = How far it is
progress-count = { $done } of { $total }
task-unlocking = Opening the wallet with your passphrase …
task-waiting-for-hospitals = Waiting for the hospitals to agree …
task-checking = Checking what the hospitals say …
task-fetching = Fetching records …
task-decrypting = Opening records …
task-sealing = Encrypting …
task-saving-file = Fetching the file and checking each part, in megabytes …
task-taking-in = The hospital is taking in the file …

## What was checked
checked-good = Checked: { $agreeing } of { $total } hospitals agree, { $ago }
checked-spared = Checked: the { $agreeing } hospitals asked agree, { $ago }; the others were not asked, to spare data
checked-few = Only { $agreeing } of { $total } hospitals agree, { $ago }: you can read, but new things may not be confirmed
checked-old = Last checked { $ago }: { $agreeing } of { $total } hospitals agreed
checked-never = Not checked yet
checked-meaning = This device compared what the hospitals say and checked their signatures itself. It trusts no single hospital.
checked-unreachable = Not reached just now: { $hospitals }.
proven = proven
proof-sentence = Proven: { $signed } of { $total } hospitals signed
proof-plain = This was written into block { $block } on { $time }. { $signed } of { $total } hospitals signed that block. This device checked it itself:
proof-checks = What was checked
proof-technical = For experts
proof-block = Block
proof-time = Time
proof-signed = Signed by
proof-signers = Who signed
proof-header-hash = Header hash
proof-transaction = Transaction
check-certificate = Enough hospitals signed
    .more = The signatures of more than two thirds of the hospitals on this block are genuine.
check-header-range = It belongs to the one shared record
    .more = The block is part of the chain that starts where this app expects it to start.
check-receipt = It really happened in this block
    .more = The receipt of this event is in the block, and the event was accepted.
check-history = Nothing was left out
    .more = The event has its place in the complete list of everything that concerns you.
check-state = It is in force
    .more = The hospitals’ shared state holds exactly this value.
check-ciphertext = Not a byte was changed
    .more = The encrypted record is the one that was registered.
check-witnesses = Several hospitals say the same
    .more = At least two hospitals were asked and gave the same newest block.

hospital-unnamed = A hospital without a known name ({ $id }…)

## The checking page
checking-title = How this is checked
checking-how = See who was asked and what was checked
checking-lead = This device checks the hospitals itself and trusts no single one of them.
checking-now = Check now
checking-good = Checked, and it agrees
checking-wait = Not fully checked just now
checking-failed = Could not be checked just now
checking-old = Not checked for a while
checking-danger = Something is wrong
checking-hospitals = What each hospital answered
checking-agreement = { $n } of { $m } hospitals agree
checking-agreement-spared = { $n } of the { $m } hospitals asked agree; { $spared } not asked
checking-contradict = { $n } of { $m } hospitals show entries that exclude each other
checking-silent = None of the { $m } hospitals answered
checking-ahead = { $n } of { $m } hospitals show a later date than this device
checking-liars = The answer of { $hospitals } failed a check.
checking-liars-means = It was thrown away. What you see comes from the other hospitals, which agree. Your records are safe.
checking-liars-next = You can go on. If you read this again tomorrow, tell your hospital.
checking-portal = This network asks you to sign in first.
checking-portal-next = Open any web page, sign in to the network there, come back, and check again. Until then you see what was checked before.
checking-paused = Checking by itself is paused. You hear of nothing new until you check here or switch it on below.
checking-under-way = Checking now, since { $time } …
checking-next-at = The next check by itself is on { $time }.
checking-again-at = The last { $n ->
        [one] check
       *[other] { $n } checks
    } failed. The next try is on { $time }.
checking-usage = Data used
checking-usage-sum = Today { $today }, this month { $month }.
checking-usage-days = Data used on each of the last 14 days
checking-usage-most = Most on one day: { $bytes }.
checking-today = today
contradiction-do = What to do now
contradiction-do-nothing = Sign and allow nothing new until your hospital says that it is settled.
contradiction-do-call = Call your hospital, and one other hospital of the list above. Tell them that your device found a contradiction, and when.
contradiction-do-file = Save the file and give it to your hospital’s data protection officer or to the health authority. It holds nothing about you.
contradiction-file = The file holds the two entries with the hospitals’ signatures. Whoever gets it can check for themselves which hospitals signed both, with the program “amulet-light” and the genesis document:
contradiction-save = Save the evidence
checking-verified = What this device checked itself
checking-verified-then = What this device checked itself when it last could, on { $time }
checking-signatures = The signatures are genuine
checking-signatures-more = { $n } of { $m } hospitals signed the newest entry. More than two thirds are needed.
checking-several = Several hospitals say the same
checking-several-more = At least two were asked, and none shows anything that contradicts the others.
checking-continues = It continues what this device knew
checking-continues-more = Nothing that was there before was changed or left out, back to the first day.
checking-newest = How fresh it is
checking-newest-more = The newest entry is from { $time }. Entries are made only when something happens, so an old one is no alarm.
checking-cost = With each hospital, since the app was started
checking-cost-sum = { $bytes } exchanged in { $n } questions.
checking-cost-more = Only the newest entry and short proofs are fetched, never the whole shared record.
checking-when = When this device checks
checking-by-itself = Check by itself
checking-by-itself-more = Without it, you hear of an emergency access only when you open a page or check here.
checking-metered = Spare mobile data
checking-metered-more = Asks fewer hospitals and less often, but never fewer than two. “Check now” asks all of them.
checking-contradictions = Contradictions that this device found
checking-contradictions-more = Two entries with genuine signatures exclude each other, so more hospitals than may be faulty signed both. This device keeps the proof and shows it to every hospital it reaches. Your records are safe.
checking-contradiction = Found on { $time }
checking-told-nobody = No hospital has answered to it yet. They are told with the next check.
told-convicts = Was told. It names on the ledger those who signed both.
told-alarmed = Was told. It has warned its operators; who is to blame cannot be seen from the two entries alone.
told-denied = Was told, and says that it is no contradiction.
checking-colours = What the colours mean
checking-if-good = Green: checked
    .means = Enough hospitals answered, they agree, and their signatures are genuine.
    .next = You need to do nothing.
checking-if-wait = Amber: old or waiting
    .means = Hospitals could not be reached, or too few answered. What you see was genuine when it was checked, but something newer may be missing.
    .next = Check your network, or try again later.
checking-if-danger = Red: contradiction
    .means = Hospitals signed things that exclude each other, or an answer was forged. Nothing new is shown until that is settled. Your records are safe.
    .next = Do not rely on anything new. Call your hospital and tell it the code shown with the error.
checking-not-seen = This device cannot notice if all hospitals that it reaches hide the same new entries together, or write something wrong into a record.
checking-chain = Chain
checking-epoch = Changes of the group of hospitals
checking-epoch-times = { $n ->
    [0] none so far
    [one] once
   *[other] { $n } times
    }
checking-trusts-until = Can go on by itself until
memory-rebuilt = What this device had kept of earlier checks was damaged, lost or outdated. It checked all anew; nothing of yours is lost.
memory-not-kept = This device cannot keep what it checked: is the app open in another window, or the storage full? Next time it checks all anew.
memory-start-lost = This device was once started from another one’s ten words. What it kept of that is damaged, so it goes by its network file again. Please compare it with another device (in the settings).
answer-agrees = agrees
    .means = It has the same newest entry.
answer-behind = behind
    .means = It says the same, but lacks the newest { $blocks ->
        [one] entry
       *[other] { $blocks } entries
    }.
answer-unproven = not shown
    .means = It answered, but nobody could show that its newest entry belongs here.
answer-nothing-yet = new
    .means = It has no entries yet.
answer-not-asked = not asked
    .means = It was not asked, to spare mobile data.
answer-silent = no answer
    .means = It could not be reached. That is no sign of a lie.
answer-elsewhere = wrong place
    .means = Something else answered in its place, such as the sign-in page of this network.
answer-refused = refused
    .means = It declined to answer just now.
answer-other-group = other group
    .means = It names a group of hospitals that this device does not know, and did not show how that came about.
answer-ahead-of-clock = other date
    .means = Its newest entry is dated later than the clock of this device. One of the two clocks is wrong; that is no lie.
answer-forged = failed a check
    .means = Its answer was wrong and was thrown away. The others were asked instead.
answer-contradicts = contradicts
    .means = What it shows and what another hospital shows exclude each other.

## Proofs as files
file-title = Save this proof as a file
file-log = The file proves this line, every other line of your log up to now, and that none is missing.
file-story = The file proves everything that happened to this record, and, with your whole log, that nothing is missing. What the record says is not in it.
file-record = The file proves which hospital registered this record and when, and that it still stands unchanged. What the record says is not in it.
file-grant = The file proves whom you allowed to read how many records until when, or that you took it back.
file-entry = The file proves the newest entry that this device checked, with the hospitals’ signatures. It holds nothing about you.
file-whom = Give it to whoever has to judge it: a data protection officer, a lawyer, a complaints office.
file-private = It names you by your identifier and shows when which hospital and which doctor dealt with you. No medical content is in it, but give it only to people who need it.
file-how = They can check it themselves, without a network and without trusting you or any hospital: with the program “amulet-light”, or a web page that has Amulet’s checker, and the genesis document that every hospital hands out.
file-save = Save the file
file-saved = Saved: { $name } ({ $bytes })
file-at = You find it here:
file-in-browser = Your browser has taken it. It is where your downloads are.

## The history of accesses as a file
history-file-title = Save who may read and who has read, for another system (FHIR)
history-file-what = One file with every access you gave, everybody who read, and what each hospital registered, in a form that other health systems take in. What your records say is not in it. It proves nothing by itself: to prove a line, open it and save its proof.
history-file-open = It is not encrypted, and it shows when which hospital and which doctor dealt with you. Give it only to people who need it.
history-file-r5 = Save the accesses you gave, as FHIR R5 consents

## The patient summary as a file
summary-file-title = Save my summary for another doctor (IPS)
summary-file-what = One file with what a doctor who does not know you needs: your problems, allergies and medicines, and your vaccinations, procedures, results and devices, from all your hospitals, with the hospital that each comes from. Hospitals in other countries can read it into their programs.
summary-file-core = What is highly sensitive stays out. Where another record refers to it, the file shows only that something is kept back.
summary-file-open = The file is not encrypted. Whoever has it can read it and pass it on, it does not expire, and you cannot take it back. Give it only to the doctor it is for, and delete it from this device afterwards.
summary-file-en = Save it in English
summary-file-zh = Save it in Chinese
summary-file-listed = { $n ->
    [0] It lists no record. It says that nothing is known about problems, allergies and medicines.
    [one] It lists one record.
   *[other] It lists { $n } records.
}
summary-file-left-out = { $n ->
    [one] One older record is not in it, because there are newer ones.
   *[other] { $n } older records are not in it, because there are newer ones.
}
summary-file-kept-back = { $n ->
    [one] One highly sensitive record is not in it.
   *[other] { $n } highly sensitive records are not in it.
}
summary-file-missing = { $n ->
    [one] One record could not be fetched or read. The file says that it is incomplete; better save it again later.
   *[other] { $n } records could not be fetched or read. The file says that it is incomplete; better save it again later.
}

## Checkpoints
checkpoint-title = Compare with another device
checkpoint-line = Ten words that show whether two devices follow the same record.
checkpoint-lead = Read these ten words to somebody who has Amulet open, such as your daughter or your hospital. If their device says “the same”, both of you are shown one and the same record: it was not made up for you alone.
checkpoint-here = The words of this device
checkpoint-entry = They stand for entry { $height }, the newest that this device checked, of { $time }. They hold nothing about you: anybody may hear them.
checkpoint-started-from = This device was started from entry { $height } of another device.
checkpoint-code = The same as a code
checkpoint-qr-label = QR code of this device’s checkpoint
checkpoint-text = The code as text
checkpoint-text-hint = It begins with “amulet-checkpoint”. Paste all of it.
checkpoint-text-missing = Please paste the code first.
checkpoint-compare = Enter another device’s words
checkpoint-what = What this is good for
checkpoint-what-text = If somebody took over this device’s network, or many hospitals lied together, the two devices would be shown different records, and the words would differ. A new device, or one that was not used for years, can also start from these words.
checkpoint-start-link = Start this device from another one’s words
checkpoint-how = How do you get them from the other device?
checkpoint-by-words = I type the number and the ten words
checkpoint-by-code = I scan or paste the code
checkpoint-number = Number of the entry
checkpoint-number-hint = It stands above the words on the other device.
checkpoint-number-missing = Please type the number: only digits.
checkpoint-words = The ten words
checkpoint-words-hint = In their order, with spaces between them; English or Chinese.
checkpoint-words-count = { $n } of { $total } words
copy = Copy
copied = Copied
copy-by-hand = The text is selected: copy it with the keyboard or a long press.
compare-title = What does the other device show?
compare-lead = On the other device, open Settings, then “Compare with another device”.
compare-submit = Compare
comparison-same = Both devices say the same
    .means = Up to entry { $height } of { $time } both follow one and the same record. Nothing before it was changed or left out on either.
    .next = You need to do nothing.
comparison-word = Word { $word } is another one here
    .means = Most often a word or the number was misread. If not, the two devices are shown different records.
    .next = Read the number and all words once more. If they are exactly so, sign and allow nothing on either device and call your hospital.
comparison-different = The two devices differ
    .means = At entry { $height } the other device has another entry than this one. One of them is shown a false record.
    .next = Sign and allow nothing on either device. Call your hospital and tell it the number { $height }.
comparison-other-network = This cannot be compared
    .means = The other device belongs to another group of hospitals.
    .next = Compare with a device that uses the same hospitals as this one.
comparison-newer = This cannot be compared yet
    .means = The other device shows entry { $height }; the newest that this device can get is { $newest }. It may be a moment behind, or the number was misread.
    .next = Wait a minute and try again, or enter this device’s words on the other one.
start-title = Start from another device
start-lead = This device then relies on the other one’s newest entry instead of the very first one.
start-when = You need this only if this device was not used for a long time, or if you want to be sure to follow the same record as a device you trust. Get the words from a person you know, on the phone or in front of you, never from a message of a stranger.
start-submit = Start from there
start-done = This device starts there now
start-done-means = It checked entry { $height } with the hospitals, and from now on everything must continue it. Your keys and records are unchanged.
start-not-done = Nothing was changed on this device.

## Inbox
inbox-title = Inbox
inbox-bell = { $n ->
    [0] Inbox, nothing new
    [one] Inbox, 1 new
   *[other] Inbox, { $n } new
}
inbox-new = New
inbox-empty-title = Nothing new
inbox-empty-text = What needs you or is worth knowing will be here: who asks for access, who opened your emergency summary, what ends soon, who owes an answer.
inbox-empty-text-clinician = What needs you will be here: an access that ends soon, a deletion that you have to confirm, a review that is due.
inbox-ending = { $who } can read until { $date }. Then it ends by itself.
inbox-ended = { $who } can read nothing more. The access has ended.
inbox-deletion-overdue = { $who } should have confirmed the deletion, and has not.
inbox-erasure-overdue = A record should have been erased, or answered about, and has not.
inbox-disagree = Hospitals contradict each other. See which, before you rely on what is new.
inbox-my-ending = You can read a patient’s records until { $date }. Then it ends by itself.
inbox-receipt-due = Confirm by { $date } that you deleted what you read.
inbox-receipt-overdue = You should have confirmed by { $date } that you deleted what you read.
inbox-review-due = Your hospital has to review your emergency access by { $date }.
inbox-review-overdue = Your hospital should have reviewed your emergency access by { $date }, and has not.

## Home
home-title = Hello, { $name }
home-erasures-overdue = { $n ->
    [one] One record should have been erased, or answered about, and has not
   *[other] { $n } records should have been erased, or answered about, and have not
}
home-overdue = { $n ->
    [one] One reader should have confirmed the deletion, and has not
   *[other] { $n } readers should have confirmed the deletion, and have not
}
home-paused = Checking by itself is paused.
home-paused-next = You hear of an emergency access only when you open a page. Switch it on again here.
home-card = Emergency card
home-card-ready = Ready. Show or print it.
home-card-none = Not made yet. It can save your life.
home-readers = { $n ->
    [0] Nobody can read your records now
    [one] 1 person can read something now
   *[other] { $n } people can read something now
}
home-code-text = For your doctor or hospital to find you
home-newest = New
home-all-records = All { $n } records
home-empty-title = Your records will be here
home-empty-text = Show your code at your hospital. It puts your records here, encrypted so that only you can open them.
home-empty-step = Show my code
home-request = { $who } asks to read: { $what }
home-emergency = { $who } opened your emergency summary
answer-by = You can answer until { $date }.
emergency = EMERGENCY

## Records
records-search = Search
records-filter = Show only
records-count = { $n ->
    [one] 1 record
   *[other] { $n } records
}
records-not-shown = { $n ->
    [one] 1 record could not be fetched just now. It is not shown here and is not allowed.
   *[other] { $n } records could not be fetched just now. They are not shown here and are not allowed.
}
records-missing = { $n ->
    [one] 1 record could not be fetched just now. It is safe; Amulet tries again by itself.
   *[other] { $n } records could not be fetched just now. They are safe; Amulet tries again by itself.
}
rules-closed = { $n ->
    [one] One record that the patient opened is not shown to you.
   *[other] { $n } records that the patient opened are not shown to you.
}
rules-closed-kind = { $category } ({ $class }): { $n }
rules-closed-unpermitted = No rule of the consortium permits it for your role, department and this purpose.
rules-closed-help = The consortium’s rules apply beside what the patient grants. If you need these records, ask a colleague whom the rules permit, or your hospital, which can explain and change them.
reading-narrowed = The patient has just closed some of these records. This is what is left.
reading-missing = { $n ->
    [one] 1 more record is allowed, but no hospital could deliver it just now.
   *[other] { $n } more records are allowed, but no hospital could deliver them just now.
}
records-none-title = Nothing found
records-none-text = No record has these words. Try fewer words, or show all kinds.
show-more = Show more ({ $n } left)
category-all = All
category-count = { $category } { $n }
category-count-inline = { $category } ({ $n })
category-allergies = Allergies
category-conditions = Conditions
category-medicines = Medicines
category-labs = Labs
category-vital-signs = Vital signs
category-immunizations = Vaccinations
category-procedures = Procedures
category-imaging = Imaging
category-visits = Visits
category-care-plans = Care plans
category-documents = Documents
category-devices = Devices
category-social = Social history
category-administrative = Paperwork
category-billing = Bills
category-other = Other
class-public = Public
class-internal = Internal
class-sensitive = Sensitive
class-core = Highly sensitive
record-title = Record
record-category = Kind
record-date = Date
record-hospital = From
record-class = Protection
record-narrative = In its own words
trend-title = { $name } over time
trend-chart = Chart of { $n } values of { $name }. The table below says the same.
trend-band = The band is the newest value’s normal range: { $range }.
trend-other-units = { $n ->
    [one] One value in another unit is not in this chart.
   *[other] { $n } values in other units are not in this chart.
}
trend-as-table = Show as table
trend-note = Values are as the records have them. A triangle is outside the range, an open mark is a limit such as “< 5”. Each hospital has a line of its own. What it means for you, ask your doctor.
standing-low = Below the range
standing-within = Within the range
standing-high = Above the range
story-title = What happened to this record
story-lead = Everything, from the day it was registered: who was given access, who read it, and when that ended. Each line has its own proof.
story-complete = Complete: { $n ->
    [one] one entry
   *[other] { $n } entries
}, and none is missing.
story-registered = Registered
story-amended = A newer version was registered
story-opened = Opened to somebody
story-paused = Access to it was paused
story-resumed = A paused access went on
story-extended = Access to it was made longer
story-read = Read
story-closed = Access to it ended early
story-deleted = The reader confirmed to have deleted it
story-erasure-asked = You asked to have it erased
story-erasure-refused = The hospital keeps it
story-erased = The hospital had it erased
story-erasure-confirmed = A hospital confirmed that it holds it no more
large-title = A large file
large-size = { $size }, { $kind }
large-text = It is too large to be shown here. You can save it as a file and open it with another program; it is decrypted and each part of it is checked while it comes. The file is not encrypted.
large-save = Save the file
large-cancel = Cancel
large-cancelled = Cancelled. Nothing was saved.
erasure-title = Erasing this record
erasure-none = { $hospital } made this record and decides whether it is erased. The law has hospitals keep medical records: 15 years after an outpatient visit, 30 years after a stay.
erasure-ask = Ask to erase
erasure-ask-title = Ask to erase this record?
erasure-ask-text = { $hospital } answers within 30 days: erased, or kept for a reason of the law. An erased record is gone for you too, and for every doctor. Save it first if you may need it.
erasure-ask-keep = Not now
erasure-asked = You asked { $hospital } on { $at }.
erasure-answer-by = It has to answer by { $by }.
erasure-answer-overdue = It should have answered by { $by }, and has not. Everybody who watches over the hospitals sees that.
erasure-kept = { $hospital } keeps this record until { $until }
erasure-erased = { $hospital } had this record erased on { $at }
erasure-confirmed = { $hospital } signed on { $at } that it holds it no more.
erasure-receipt-owed = { $hospital } has to confirm by { $by }.
erasure-receipt-overdue = { $hospital } should have confirmed by { $by }, and has not.
erasure-limits = No hospital gives it to anybody any more, and none takes it back from a backup. A signature is what a hospital answers for; nobody can see into its backups. Who has read it before has read it.
erasure-ground-patient-asked = You had asked for it.
erasure-ground-retention-over = The time for which the law has it kept is over.
erasure-ground-registered-in-error = It should never have been added: it is somebody else’s, or a mistake.
erasure-ground-ordered = A court or an authority ordered it.
keep-reason-retention = The law has medical records kept for that long.
keep-reason-dispute = It is needed in a dispute or an investigation.
keep-reason-public-health = It is needed for public health, as with a notifiable disease.
erased-records = { $n ->
    [one] 1 erased record
   *[other] { $n } erased records
}
erased-records-text = What they said is gone. That they were there, who had them erased and who confirmed it stays.
record-source = Source ({ $kind })

## Labels of facts
label-value = Result
label-component = Part
label-reference-range = Normal range
label-interpretation = Assessment
label-dose = Dose
label-route = Route
label-severity = Severity
label-reaction = Reaction
label-criticality = Danger
label-clinical-status = State
label-verification = Certainty
label-onset = Began
label-end = Until
label-period = Period
label-performer = By
label-requester = Ordered by
label-organization = Organisation
label-place = Place
label-reason = Reason
label-body-site = Body site
label-method = Method
label-note = Note
label-result = Result
label-conclusion = Conclusion
label-lot-number = Lot number
label-dose-number = Dose number
label-target = Target
label-manufacturer = Manufacturer
label-model = Model
label-serial-number = Serial number
label-sex = Sex
label-birth-date = Born
label-address = Address
label-contact = Contact
label-identifier = Number
label-relationship = Relationship
label-speciality = Speciality
label-section = Section
label-attachment = Attachment
label-amount = Amount
label-activity = Activity
label-kind = Kind
label-ingredient = Ingredient
label-form = Form
label-not-done = Not done

## Codes of records
value-active = Active
value-inactive = Inactive
value-resolved = Resolved
value-remission = In remission
value-recurrence = Recurrence
value-relapse = Relapse
value-confirmed = Confirmed
value-unconfirmed = Unconfirmed
value-provisional = Provisional
value-differential = Differential
value-refuted = Refuted
value-mild = Mild
value-moderate = Moderate
value-severe = Severe
value-low = Low
value-high = High
value-unable-to-assess = Cannot be judged

## Where a line of the summary comes from
resource-allergyintolerance = Allergy record
resource-observation = Observation
resource-medicationrequest = Prescription
resource-medicationstatement = Medicines list
resource-medicationadministration = Given medicine
resource-medicationdispense = Dispensed medicine
resource-condition = Diagnosis
resource-device = Device record
resource-deviceusestatement = Device use
resource-immunization = Vaccination record
resource-procedure = Procedure
resource-patient = Patient record
resource-relatedperson = Patient record
resource-composition = Document
resource-diagnosticreport = Report

## Sharing
sharing-lead = Who asks, who can read now, and who could once.
sharing-empty-title = Nobody reads your records
sharing-empty-text = When a doctor asks to read something, you see it here and decide.
sharing-empty-step = Show my code to a doctor
sharing-waiting = Waiting for your answer
sharing-active = Can read now
sharing-active-none = Nobody can read your records now.
sharing-ended = Ended ({ $n })
give-open = Give access to somebody
give-title = Give access
give-lead = Choose to whom and what. You see exactly what it opens before you sign.
give-whom = To whom?
give-person = A doctor or other clinician
give-relative = A relative who cares for me
give-staff = Everybody who practises at a hospital
give-code = Their code
give-code-hint = It begins with “did:amulet:”. They find it in their app.
give-no-code = This is not a person’s code. It begins with “did:amulet:”.
give-hospital = Hospital
give-hospitals = Your records of which hospitals?
give-hospitals-hint = A grant is signed for each. Untick one to keep from this reader that you are treated there.
give-hospitals-missing = Choose at least one hospital whose records you give.
give-joins = You give records of { $hospitals } to one reader. They learn that these are records of the same person, and others can guess it from two grants to one reader at the same time.
give-failed = Your records of { $hospital } were not given:
give-role = Which of them?
give-role-all = All
give-staff-hint = Whoever practises there when they read. Each reading names who read. You trust the hospital with the keys.
give-categories = What may they read?
give-categories-hint = Untick what they do not need.
give-new-records-more = What hospitals add while it lasts reaches them by itself. After that nothing more does.
give-preview = See what this opens
give-back = Change it
share-standing = Also what is added later of these kinds, until it ends: { $what }.

abroad-title = For a clinic abroad
abroad-lead = A link to your summary, for a doctor who has no Amulet.
abroad-what = Amulet makes your summary as it is now, and locks it. A hospital keeps it and cannot read it: the key is in the link alone. It is a SMART Health Link, which clinics and apps in many countries open.
abroad-name = What is it for?
abroad-name-hint = For example the clinic or the city. Whoever has the link can read this name.
abroad-language = Language of the headings
abroad-guarded = Ask for a passcode
abroad-guarded-more = Tell it to the doctor yourself, not together with the link. After ten wrong tries the link is dead for good.
abroad-passcode = Passcode
abroad-passcode-hint = At least six characters. Choose one that you use nowhere else.
abroad-passcode-short = A passcode has at least six characters.
abroad-unguarded = Whoever gets hold of the link, by a forwarded message or a photograph, can read your summary until it ends.
abroad-make = Make the link
abroad-made = { $n ->
    [one] The link is ready. The summary behind it lists 1 record.
   *[other] The link is ready. The summary behind it lists { $n } records.
}
abroad-missing = { $n ->
    [one] 1 record could not be had. The summary says that it is incomplete.
   *[other] { $n } records could not be had. The summary says that it is incomplete.
}
abroad-left-out = { $n ->
    [one] 1 record is not in it: it is older than many others, or so sensitive that it stays at its hospital.
   *[other] { $n } records are not in it: older ones where there are many, and those so sensitive that they stay at their hospital.
}
abroad-qr-label = Link to your summary
abroad-link = The link
abroad-hand = Show the code to the doctor, or send the link. They read your summary as it is today, with no account.
abroad-hand-guarded = Show the code to the doctor, or send the link, and tell them the passcode. They read your summary as it is today, with no account.
abroad-elsewhere = Another device made this link. It can be taken back here, but not shown.
abroad-open = { $n ->
    [one] 1 link can be opened
   *[other] { $n } links can be opened
}
abroad-over = Over ({ $n })
abroad-unnamed = Link of { $day }
abroad-lasted = Made on { $from }, for until { $until }
abroad-until = Until { $until }. Kept, locked, at { $hospital }.
abroad-attempts = { $n ->
    [one] With a passcode; 1 wrong try is left
   *[other] With a passcode; { $n } wrong tries are left
}
abroad-no-passcode = Without a passcode
abroad-show = Show the code
abroad-not-opened = Nobody has opened it yet.
abroad-opened = { $n ->
    [one] Opened once
   *[other] Opened { $n } times
}
abroad-opening = { $who }, { $at }
abroad-names-unproven = These are the names that were given. Nothing proves them.
abroad-silent = { $hospitals } did not answer. Links that they keep are not shown now.
abroad-nothing = As soon as a hospital has added records of yours, you can make a link here.
abroad-revoke-title = Take this link back?
abroad-revoke-text = The hospital deletes the summary at once, and the link opens nothing more. Who has read it already may have kept a copy.
abroad-revoke-keep = Keep the link
link-open = open
link-expired = time over
link-revoked = taken back
link-guessed = too many wrong passcodes

research-title = Research
research-lead = Studies that an ethics board approved. Your care is the same whether you take part or not.
research-joined = You take part
research-open = Studies that you can join
research-empty-title = No studies to join
research-empty-text = When an ethics board approves a study, it appears here. There is nothing you need to do.
study-who = Researchers of { $hospital }
study-who-department = Researchers of { $department } at { $hospital }
study-sentence = { $who } can read your { $what }, until { $until } at the latest, for research.
study-dates-all = Records of any date.
study-dates-from = Records dated { $from } or later.
study-dates-to = Records dated { $to } or earlier.
study-dates-between = Records dated { $from } to { $to }.
study-approved = Approved by { $board } on { $at }.
study-approved-by-former = Approved on { $at } by an ethics board that is no longer in office.
study-participants = { $n } of at most { $max } take part.
study-full = The study has all the participants it may have.
study-see = See what it opens
study-opens = It can read { $what }, until { $until }.
study-about = About the study
study-title = Take part in a study
study-not-anonymous = The researchers read your records as the hospital wrote them. Your name, other details or exact dates can stand in them, so they may find out who you are.
study-new-records-more = What is added of these kinds, { $what }, is opened too, until { $until }.
study-take-back = It ends on { $until } by itself. You can withdraw at any time, without a reason; what was read must then be deleted.
study-join = { $n ->
    [0] Take part
    [one] Take part with 1 record
   *[other] Take part with { $n } records
}
study-joined-title = You take part
study-joined-back = To my studies
study-withdraw = Withdraw
study-withdraw-title = Withdraw from “{ $title }”?
study-withdraw-text = The researchers can read nothing more. What they have read must be deleted, and they owe a signed confirmation. Results that were worked out already stay.
study-withdraw-keep = Stay in the study
study-left = You have withdrawn from “{ $title }”. What was read must be deleted.
preferences-title = Never give, or always ask
preferences-lead = What you settle here holds for every access that you give from now on.
preferences-limits = It is kept on this device only, and stays as it is for what you have opened already. Your emergency card is not part of it. To settle something about single records, leave them out when you sign.
preference-free = As I choose each time
preference-ask = Always ask: never chosen for me
preference-never = Never give
settled-withheld = These stay closed, because you settled never to give them: { $what }. You can change that in the settings.
settled-ask = You wanted to be asked about these, so nothing of them is ticked: { $what }. Records added later stay closed.
settled-never = You settled never to give this. Change it in the settings.
settled-not-later = Always asked about; records added later stay closed.
share-sentence = { $who } can read { $what } until { $until }, for { $purpose }.
share-was = { $what }, from { $from } to { $until }
share-uses = { $n ->
    [0] Not read so far
    [one] Read 1 time so far
   *[other] Read { $n } times so far
}
share-uses-of = Read { $n } of { $max } times
share-active = Active
share-paused = Paused
share-used-up = Read as often as allowed
share-expired = Ran out
share-revoked = Taken back
take-back = Take back
take-back-keep = Leave it
take-back-title = Take access back from { $name }?
take-back-text = They can no longer open these records. What they have read already, they have read. If they need it again, they must ask again.
pause = Pause
resume = Let them read again
paused-title = Paused: { $who }, { $what }
used-up-title = { $who } has read { $what } as often as you allowed, and can open them again for up to an hour after that.
paused-text = Until you let them read again, they cannot open these records. What they have read already, they have read. The access ends at its time all the same.
sharing-overdue = Deletion not confirmed
said-taken-back = Taken back: { $who } can no longer read.
said-paused = Paused: { $who } can read nothing until you let them go on.
said-resumed = { $who } can read again.
said-extended = { $who } can read until { $until }.
narrow-open = Open less
narrow-title = Open less than now
narrow-records = Which records stay open?
leave-out-all = Leave out all: { $category }
put-back-all = Put back all: { $category }
narrow-hidden = { $n ->
    [one] One more record is open that this device cannot show just now. It stays open.
   *[other] { $n } more records are open that this device cannot show just now. They stay open.
}
narrow-until = Until when?
sooner-same = Until { $until }, as now
sooner-hour = One hour, until { $until }
sooner-day = One day, until { $until }
sooner-week = One week, until { $until }
narrow-uses = How often may they be read?
fewer-same = As often as needed, as now
fewer-same-of = { $n ->
    [one] One more time, as now
   *[other] { $n } more times, as now
}
fewer-once = One more time
fewer-thrice = Three more times
narrow-after = What stays open
narrow-nothing-left = Nothing would stay open. To end it, take the access back on the page before.
narrow-uses-left = { $n ->
    [one] They can be read one more time.
   *[other] They can be read { $n } more times.
}
narrow-closed = { $n ->
    [0] No record is closed by this.
    [one] One record is closed by this.
   *[other] { $n } records are closed by this.
}
narrow-standing = Records to come stay open too, of these kinds: { $what }. To stop that, take the access back.
narrow-unread = Nothing has been read under this access yet.
narrow-read-already = { $n ->
    [one] It was used once already.
   *[other] It was used { $n } times already.
} What was read then, is known: this does not call it back, and nobody has to delete it until the access ends.
narrow-go-on = Go on
narrow-confirm-title = Open only this from now on?
narrow-confirm-text = { $n ->
    [0] Giving more time or more uses again takes a new signature of yours.
    [one] The record left out can be opened again only if they ask again.
   *[other] The { $n } records left out can be opened again only if they ask again.
} What was read already is not called back.
narrow-confirm = Sign: open less
narrow-keep = Leave it as it is
narrow-done = Less is open now
narrow-ended = This access has ended. It opens nothing any more.
extend = Give more time
extend-title = How much longer may { $name } read?
extend-text = Until now it ends on { $until }. No other records open by this.
extend-day = One more day, until { $until }
extend-week = One more week, until { $until }
extend-month = Thirty more days, until { $until }
extend-confirm = Sign: more time
extend-keep = Keep the end as it is
deletion-owed = They must confirm by { $by } that everything read is deleted.
deletion-overdue = They should have confirmed by { $by } that everything read is deleted, and have not. Ask the hospital about it.
deletion-confirmed = They signed on { $at } that everything read is deleted.
purpose-treatment = treatment
purpose-second-opinion = a second opinion
purpose-ongoing-care = ongoing care
purpose-family-carer = care by the family
purpose-emergency = an emergency
purpose-insurance-claim = an insurance claim
purpose-research = research
request-title = A request to read
request-sentence = { $who } could read your { $what } until { $until }, for { $purpose }.
request-take-back = You can take this back at any time.
cannot-pass-on = Nobody can pass this access on. A colleague has to ask you too.
request-exactly = { $n ->
    [one] Exactly this 1 record
   *[other] Exactly these { $n } records
}
request-exactly-hint = Open a kind to see each record. Untick what you want to leave out.
request-nothing = You have no records of these kinds, so there is nothing to allow.
left-out-count = { $n } left out
request-staff = They ask for more than themselves: { $who } could read it too, whoever that is then. Each reading names who read.
request-only-asker = Only { $name }, nobody else
request-only-asker-more = Their colleagues then cannot open anything.
request-new-records = Also new records of these kinds
request-new-records-more = What hospitals add until { $until } reaches them by itself. After that nothing more does.
request-later = What comes later
request-later-text = Records added later are not included. To read them, they must ask again.
request-dates-between = Only records dated from { $from } to { $to }.
request-dates-from = Only records dated { $from } or later.
request-dates-to = Only records dated { $to } or earlier.
grant = { $n ->
    [one] Allow reading 1 record
   *[other] Allow reading { $n } records
}
decline = Decline
granted-title = Allowed
declined-title = Declined
declined-text = { $name } cannot read anything. They see that you declined.
to-sharing = To Sharing

## Emergency card
card-title = Emergency card
card-none-title = No emergency card yet
card-none-text = If you cannot speak, a doctor scans your card and reads your allergies and medicines within seconds. Every such look is recorded, and you are told.
card-make = Make my card
card-banner = EMERGENCY · SCAN ME
card-far-label = QR code that opens the summary, read from farther, without the facts
card-qr-label = Emergency code
card-scan-hint = A registered doctor scans this and declares an emergency. You are told, and it ends by itself after { $hours } hours.
card-typed-code = If it cannot be scanned, type:
card-made-at = Made on { $date }
card-print = Print for the wallet
card-replace = Replace
card-revoke = Revoke the card
card-revoke-title = Revoke the emergency card?
card-revoke-text = Every copy, printed ones too, stops working for good. Until you make a new card, doctors cannot open your summary in an emergency.
card-make-title = What should your card say?
card-make-lead = Two layers: a few facts that anyone can read, and a summary only for doctors who declare an emergency.
card-open-facts = Anyone who scans may read
card-open-facts-hint = Works without a network. Keep it to what saves your life.
card-room-label = Room on the card
card-room = { $used } of { $all } bytes used
card-too-much = This is too much for the code. Untick something.
card-add-fact = Add something of your own
card-fact-kind = What is it?
card-fact-text = Text
card-fact-hint = Short, for example: Son Li Wei 138 0013 8000
card-fact-too-long = Too long for the card. Shorten it.
card-fact-add = Add
card-summary = Only after a declared emergency
card-summary-hint = The full summary from your records. Untick what you want to leave out; doctors then see that you left it out.
card-entries = { $n ->
    [0] nothing in your records
    [one] 1 entry
   *[other] { $n } entries
}
card-preview = What anyone will see
card-preview-empty = Nothing. The card then works only with a network.
card-make-submit = Make the card
fact-name = Name
fact-birth-year = Born
fact-blood-group = Blood group
fact-allergy = Allergy
fact-medicine = Medicine
fact-condition = Condition
fact-device = Device
fact-contact = Call
section-allergies = Allergies
section-blood-group = Blood group
section-medicines = Medicines
section-conditions = Conditions
section-devices = Devices
section-immunizations = Vaccinations
section-contacts = Contacts
print-title = Print your card
print-lead = Cut it out, fold it along the line, and keep it behind your identity card.
print-now = Print
print-how = Emergency: a registered doctor scans this code with Amulet. Access is recorded and ends after { $hours } hours.
print-pdf = To keep it as a PDF, choose “Save as PDF” in the print dialogue.
print-helpers = For helpers who have no Amulet
print-helpers-hint = A third side with a link to your summary, which asks for a passcode. Tell the passcode to the people you trust, such as your emergency contact.
print-with-link = Print “{ $name }” (until { $until })
print-make-link = Make a link
print-link-how = Helpers without Amulet: scan this with any SMART Health Link app. The passcode is known to my contact.
card-forms = Lock screen, or text
card-forms-text = Whoever picks up your phone can see these. They hold the facts you chose, and the code that opens your summary for a registered doctor.
card-wallpaper = Save a picture for the lock screen
card-wallpaper-text = The picture leaves room for the clock. Set it as the lock screen in your phone’s settings. A new card makes it worthless: then save it again.
card-wallpaper-impossible = This browser can’t draw the picture. Use the text, or print the card.
card-as-text = As text, for the emergency page of your phone
card-text-how = Emergency: a registered doctor types this code into Amulet. Access is recorded and ends after { $hours } hours.
card-fact = { $kind }: { $text }

## My code
code-title = My code
code-lead = Your doctor or hospital scans this to find you. They cannot read anything by it.
code-qr-label = My code
code-for = For which hospital?
code-not-joined = Each hospital has a code of its own. Nobody who reads the hospitals’ shared records can tell that the codes are one person’s; whoever is shown two of them can.
code-safe = Show it to people who treat you. With it one can send you a request, and see how many records and accesses there are, but not what is in them.

## My hospitals
hospitals-title = My hospitals
hospitals-lead = You are one person here. To each hospital you are somebody else, so that nobody can join your care from the shared ledger.
hospitals-known = { $n ->
    [one] You deal with 1 hospital
   *[other] You deal with { $n } hospitals
}
hospitals-apart = Below each name is your code there. Your recovery words bring all of them back.
hospitals-all = You deal with every hospital of the network.
hospitals-add = Add a hospital
hospitals-add-text = When you are treated somewhere new. Amulet makes a new code for it; show that one there, not another.
hospitals-added = { $hospital } is added. Show them the code that is made for them.
as-patient-of = As a patient of { $hospital }

## Access log
log-lead = Everything that ever happened to your records, with proof.
log-complete = { $n ->
    [one] Complete: this 1 entry is all there is
   *[other] Complete: these { $n } entries are all there are
}
log-incomplete = Not yet proven complete. Amulet checks again by itself.
log-empty-title = Nothing has happened yet
log-empty-text = Each time somebody asks for, reads or adds a record, it stands here.
log-line-title = Entry { $n }
log-identity-registered = Your identity was registered
log-records-registered = { $n ->
    [one] 1 record was added
   *[other] { $n } records were added
}
log-card-made = Emergency card made
log-card-revoked = Emergency card revoked
log-emergency-declared = Declared an emergency and opened your summary
log-opened-to-me = Opened records to you
log-opened-to-me-changed = Changed what is open to you
log-opened-to-me-revoked = Took back what was open to you
log-read-by-me = { $n ->
    [one] You read one record of somebody you care for
   *[other] You read { $n } records of somebody you care for
}
log-deleted-by-me = You confirmed that what you read is deleted
log-erasure-asked = { $n ->
    [one] You asked the hospital to erase 1 record
   *[other] You asked the hospital to erase { $n } records
}
log-erasure-ordered = { $n ->
    [one] Had 1 record of yours erased
   *[other] Had { $n } records of yours erased
}
log-erasure-refused = { $n ->
    [one] Keeps 1 record that you asked to have erased
   *[other] Keeps { $n } records that you asked to have erased
}
log-erasure-confirmed = { $n ->
    [one] Confirmed that it holds 1 erased record no more
   *[other] Confirmed that it holds { $n } erased records no more
}
log-keys-replaced = Your keys were replaced
log-erasure-confirm-by = Every hospital that holds a copy has to confirm by { $by }.
log-erasure-until = Until { $until }.
log-access-requested = Asked to read your records
log-access-granted = { $n ->
    [0] You allowed reading
    [one] You allowed reading 1 record
   *[other] You allowed reading { $n } records
}
log-access-declined = You declined a request
log-access-revoked = You took access back
log-about = Access of { $who }.
log-access-narrowed = You made an access smaller
log-access-extended = You made an access last longer
log-records-opened = { $n ->
    [one] Opened 1 new record under an access that you gave
   *[other] Opened { $n } new records under an access that you gave
}
log-access-paused = You paused an access
log-access-resumed = You let a paused access go on
log-deletion-confirmed = Confirmed that what was read is deleted
log-until = Until { $until }
log-records-read = { $n ->
    [0] Read your records
    [one] Read 1 record
   *[other] Read { $n } records
}
log-reason = Reason: { $reason }. Ends { $until }.
log-note = “{ $note }”
log-purpose = For { $purpose }.
log-purpose-until = For { $purpose }, until { $until }.
log-emergency-help = Was this not right? Report it: the clinician’s hospital then has to answer for it, on the record. The proof below stands for itself.
log-emergency-disputed = You reported an emergency access
log-emergency-reviewed = The hospital reviewed an emergency access
log-review-justified = It found that there was an emergency, or that it had to be taken for one.
log-review-not-justified = It found that there was no emergency.
report = Report it
report-title = Report this access?
report-text = It stands in the log for good, for you, for the clinician and for their hospital, which reviews it. You cannot take it back.
report-keep = Not now
review-due = The clinician’s hospital has to review this access by { $by }. What it found will be a line of its own here.
review-overdue = The clinician’s hospital should have reviewed this access by { $by }, and has not. Ask it why; the entry here proves what it owes.
report-done = You reported this access. The clinician’s hospital sees it and says here what its review found.

## Settings
settings-title = Settings
settings-language = Language
settings-text-size = Text size
text-normal = Normal
text-large = Large
text-larger = Very large
reports-title = Help others find the hospitals that answer well
reports-text = Once a week, this app can write down for everybody how well the other hospitals’ computers answered it, in rough tenths. Not what you read, nor when. But anybody can see that this identity was in use that week. The app works the same without it.
reports-off = Do not report
reports-on = Report once a week
about-title = About, and what is checked
about-checked = This app checks the hospitals’ signatures, that nothing is missing from your log, and that no record was changed. It does so on this device.
about-not-checked = It cannot check whether a hospital wrote something wrong into a record, nor what a reader remembers.
about-did = Your identity
about-version = Version
notices-title = Notices outside this window
notices-text = While the wallet is open and you look elsewhere, your computer can tell you that something needs you. A notice never says who or what it is about: anybody may see your screen.
notices-on = Show notices
notices-off = Show none
lock-text = Locking forgets your keys until you type your passphrase again.
lock = Lock

## Scan
scan-title = Scan an emergency card
scan-lead = Hold the card’s code in front of the camera.
scan-reading = Reading the card …
scan-typed = Or type the code
scan-typed-hint = The groups of characters under the code.
scan-typed-read = Read the code
camera-label = Camera picture
camera-starting = Starting the camera …
camera-live = Looking for a code …
camera-absent = There is no camera here, or this page may not use it. Choose a picture of the code, or type it.
camera-refused = The camera was not allowed. Allow it in the browser’s settings, choose a picture of the code, or type it.
picture-choose = Choose a picture

## Declare an emergency
declare-title = Emergency access
preview-title = On the card
preview-signed = Signature is right
preview-unsigned = Not signed
preview-offline-hint = Read from the card itself, without asking anybody. It may be out of date.
preview-no-facts = No facts came with this code. Read what is printed on the card, and declare the emergency to open the summary.
preview-offline = No hospital can be reached. Only what is on the card can be shown; the summary needs a connection.
declare-you = You:
declare-why = Why now, without asking?
reason-unconscious = Unconscious
reason-cannot-communicate = Cannot communicate
reason-life-threatening = Life or limb in danger, no time to ask
reason-other = Another reason
declare-note = Note (not required)
declare-note-needed = Which reason?
declare-reason-missing = Choose a reason.
declare-note-missing = Write down the reason.
declare-warning = This will be recorded and the patient told. Access ends after { $hours } hours.
declare-submit = Declare and open

## Summary
summary-title = Emergency summary
summary-unreadable = { $count ->
    [one] One record could not be read and is missing here.
   *[other] { $count } records could not be read and are missing here.
} Do not take this summary as complete.
summary-made = Summary made by the patient’s wallet on { $date }.
summary-over-title = Access has ended
summary-over-text = The summary is closed. If the emergency goes on, scan the card and declare it again.
name-unknown = Name unknown
sex-female = Female
sex-male = Male
sex-other = Other sex
sex-unknown = Sex unknown
critical = CAN KILL
section-known-none = None known: the records say there are none.
section-no-information = No information. Do not assume there are none.
section-left-out = Left out by the patient.

## Find, ask
find-code = Patient’s code
find-code-hint = It begins with did:amulet: and is on the patient’s phone under “My code”.
find-is-card = This is an emergency card. For an emergency use “Scan”; to ask for access, scan the patient’s own code.
find-is-no-code = This is not a patient’s code. It begins with did:amulet: and is on the patient’s phone under “My code”.
find = Find
find-from-link = This code comes from a link. Look for the person only if you know where the link is from.
find-scan = Scan the code
find-looking = Looking …
found = { $n ->
    [one] Patient found, 1 record
   *[other] Patient found, { $n } records
}
found-other = Another patient
ask-title = Ask for access
ask-lead = The patient sees exactly what you ask for, and decides.
ask-categories = What do you need?
ask-categories-hint = Ask only for what this visit needs.
ask-categories-missing = Choose at least one kind of records.
ask-purpose = What for?
ask-reader = Who would read?
ask-reader-hint = The patient sees this, and can give access to you alone.
ask-for-myself = Only me
ask-for-department = Everybody in my department
ask-for-hospital = Everybody who practises at my hospital
access-staff = For { $who }
ask-access-hours = How long?
ask-answer-hours = Time for the patient to answer
ask-dates = Which dates?
ask-dates-hint = Leave empty for all.
ask-dates-from = From
ask-dates-to = To
ask-dates-backwards = The first date must not be after the last.
ask-submit = Ask the patient
ask-sent-title = Asked
ask-sent-text = The patient has been asked for: { $what }. You see the answer under “My accesses”.
to-accesses = To My accesses

## My accesses
received-title = Opened to me
received-lead = What people you care for opened to you. Each time you read is in their log.
received-empty-title = Nobody has opened anything to you
received-empty-step = Show my code
received-empty-text = Somebody who wants you to read their records, as their carer, gives you access from their own wallet. Show them your code.
accesses-lead = What you asked for, may read now, and could once.
accesses-empty-title = No accesses yet
accesses-empty-text = Ask a patient for access, or scan an emergency card.
accesses-empty-step = Ask a patient
accesses-active = Open now
accesses-waiting = Waiting for the patient
accesses-ended = Ended
access-waiting = Waiting
access-declined = Declined by the patient
access-unanswered = Not answered in time
access-active = Active
access-paused = Paused by the patient
access-used-up = Read as often as allowed
access-expired = Ran out
access-revoked = Taken back by the patient
access-emergency = Emergency
access-emergency-ended = Emergency, ended
receipt-owed = By { $by } confirm that what you read is deleted: copies, notes taken from it, and printouts.
receipt-overdue = You should have confirmed by { $by } that what you read is deleted. The patient sees that it is missing.
receipt-confirmed = You confirmed the deletion on { $at }.
receipt-sign = I have deleted everything
receipt-title = Sign that everything is deleted?
receipt-text = Your signature goes on the ledger under your name, and the patient sees it. Sign only when every copy that you made or caused is gone: files, notes, printouts. It cannot be taken back.
receipt-confirm = Sign
receipt-keep = Not yet
request-once = Only once
request-once-more = They can open these records one time, for at most an hour, and then must ask again. What they have read, they have read.
asked-at = Since { $date }
open-records = { $n ->
    [one] Read 1 record
   *[other] Read { $n } records
}
open-summary = Open the summary
reading-title = Records you may read
reading-opening = Writing your reading into the log first …
reading-recorded = This reading is in the patient’s log.
reading-over-text = These records are closed, and copies must be deleted.
back-to-list = Back to the list

## Bring in
intake-title = Bring in records
intake-lead = Your hospital takes a FHIR file apart, encrypts each record for the patient and registers it.
intake-choose = Choose a FHIR file
intake-another = Choose another file
intake-clear = Clear
intake-file = File { $name }
intake-in = In the file
intake-out = Kept
intake-refused = Refused

## Why a file or a resource was refused
refusal-file-empty = The file is empty.
refusal-file-too-large = The file is too large.
refusal-file-not-utf8 = The file is not text in UTF-8.
refusal-file-is-xml = The file is XML, not JSON.
refusal-file-not-json = The file is not JSON.
refusal-file-too-deep = The file is nested too deeply.
refusal-not-a-bundle = The file is not a FHIR Bundle.
refusal-bundle-repeated-key = The bundle says something twice, so it is not clear what it holds.
refusal-bundle-entries-not-a-list = The bundle’s entries are not a list.
refusal-bundle-no-entries = The bundle has no entries.
refusal-bundle-too-many-entries = The bundle has too many entries.
refusal-bundle-no-patient = The bundle has no patient.
refusal-bundle-unusable-patient = The bundle’s patient cannot be used.
refusal-bundle-more-than-one-patient = The bundle has more than one patient.
refusal-not-an-object = It is not a JSON object.
refusal-no-resource = The entry holds no resource.
refusal-change-request = It asks a server to change something; it is no record.
refusal-search-outcome = It is a message about a search, not a record.
refusal-no-resource-type = It does not say what it is.
refusal-bad-resource-type = Its type is no FHIR type.
refusal-too-large = It is too large for one record.
refusal-too-deep = It is nested too deeply.
refusal-too-many-values = It holds too many values.
refusal-repeated-key = It says something twice, so readers could disagree on it.
refusal-bad-text = It holds text that is not valid.
refusal-duplicate = The same record was kept already.
refusal-conflicting-version = Another version of it was kept; the two differ.
refusal-another-patient = It is about another patient.
refusal-unknown-patient = It names a patient who is not in the file.

## Why the hospitals refused
refused-why-other = The hospitals gave a reason that this app has no words for; it is in the code below.
refused-why-nonce-used = Something else that you signed came first.
refused-why-nonce-out-of-window = Something else that you signed came first.
refused-why-wrong-key = The key of this wallet is not the one that the hospitals have for you.
refused-why-unknown-sender = The hospitals do not know this wallet yet.
refused-why-identity-exists = This identity is registered already.
refused-why-did-mismatch = The identity does not belong to the key of this wallet.
refused-why-unknown-practitioner = Whoever would read is not registered, or their registration has run out.
refused-why-bad-list = The list of records is empty, too long, or holds something twice.
refused-why-bad-sealed = A part that only the receiver can open is missing or too long.
refused-why-unknown-record = One of the records is not known to the hospitals, or is somebody else’s.
refused-why-unknown-holder = A hospital that would keep something is not part of the network.
refused-why-core-record = One of the records must not leave the hospital that made it.
refused-why-not-addressed = The request is addressed to somebody else.
refused-why-already-answered = It has been answered already.
refused-why-answer-too-late = The time to answer has run out.
refused-why-bad-duration = It would last longer than allowed, or end before it begins.
refused-why-beyond-request = It would open a kind of record that was not asked for.
refused-why-not-your-grant = This access is somebody else’s.
refused-why-not-granted = This access no longer opens one of these records.
refused-why-locator-taken = The number of the card is in use already.
refused-why-not-your-card = This card is somebody else’s.
refused-why-note-needed = This reason needs a few words of your own.
refused-why-self-dealing = Nobody can ask themselves, or allow themselves, to read.
refused-why-not-vouched = No hospital knows this wallet well enough to take a report from it.
refused-why-reported-lately = This wallet reported a short time ago.
refused-why-bad-share = A number in the report cannot be.
refused-why-grant-not-begun = The time of this access has not begun.
refused-why-not-paused = This access is not paused.
refused-why-not-narrower = Less would not be open by this.
refused-why-not-longer = It would not last longer by this.
refused-why-bad-erase-by = The day by which to delete does not fit the end of the access.
refused-why-not-ended = The access has not ended, so nothing is to be deleted yet.
refused-why-nothing-read = Nothing was read under this access, so there is nothing to delete.
refused-why-deletion-confirmed = The deletion was confirmed already.
refused-why-too-many-changes = This access was changed as often as one may be. It can only be taken back.
refused-why-bad-grantee = The staff that it would be for is not known to the hospitals, or whoever asks is none of them.
refused-why-not-as-requested = It is not for whom, or not for what, access was asked.
refused-why-too-many-declarations = You have declared as many emergencies today as one person may. Your hospital has been told. Call a colleague.
refused-why-already-disputed = You have reported this already.
refused-why-too-many-replacements = The keys were replaced as often as they can be.
refused-why-too-many-standing = As many of your accesses as may already open records to come.
refused-why-not-by-rules = The hospitals' rules do not allow this reader these records for this purpose.
refused-why-unknown-study = The study is not known.
refused-why-record-erased = One of the records is erased.
refused-why-erasure-asked = You have asked for this already.
refused-why-record-kept = The hospital keeps this record until a day that has not come.
refused-why-study-closed = The study is not open: it is not approved, or it has ended.
refused-why-study-needed = Research reads for registered studies only.
refused-why-beyond-study = That is more than the study was approved for.
refused-why-already-enrolled = You take part in this study already.
refused-why-study-full = The study has all the participants it may have.
refused-why-preference = You settled never to give one of these kinds. You can change that in the settings.
refused-why-malformed = The hospital could not read the question.
refused-why-bad-transaction = The hospital could not accept what was signed.
refused-why-clock = The clocks of this device and of the hospital differ too much.
refused-why-not-signed = The question was not signed as it must be.
refused-why-not-allowed = No access that is in force allows this reading.
refused-why-not-covered = One of the records is no longer part of this access.
refused-why-pruned = The hospital no longer keeps something this old.
refused-why-no-fork = The hospital sees no contradiction in what it was shown.
refused-why-link-not-a-patient = The hospital has no record that it added for you, and keeps links for its patients only.
refused-why-link-too-many = You have as many open links as a hospital keeps for one person. Take one back first.
refused-why-link-hospital-full = The hospital keeps as many links as it can.
refused-why-link-unknown = The hospital does not know this link.
refused-why-busy = The hospital is busy just now.

# Security on this device
security-title = Security
security-lead = What keeps this wallet safe on this device.
security-passphrase = The words that open the wallet here.
security-keys = Makes the keys new, so that a lost phone can do nothing more.
security-erase = Removes the wallet from this device.
auto-lock-title = Lock by itself
auto-lock-text = When nobody uses the wallet for this long, it locks and its keys leave the memory.
auto-lock-minutes = { $n ->
    [one] After 1 minute
    [60] After 1 hour
   *[other] After { $n } minutes
}
auto-lock-away = Also when I switch to another app or tab
auto-lock-away-text = After half a minute, so that you can still take a photo or pick a file.
app-link-waits = A link was opened. Once you have unlocked a wallet, it leads to: { $page }.
app-link-offered = A link was opened. It leads to: { $page }. What you are doing here stays until you leave.
app-link-open = Go there
app-link-dismiss = Close
app-link-unknown = A link was opened that leads to nothing in Amulet. Nothing was done.
app-link-other-wallet = A link was opened that leads to a page which this wallet does not have. Nothing was done.
lock-soon = Locking soon, because nobody is using the wallet.
lock-stay = Stay
tries-left = Try again in { $time }
passphrase-change-title = Change the passphrase
passphrase-change-lead = The new one opens the wallet on this device only; other devices keep theirs.
passphrase-now = Passphrase now
passphrase-new = New passphrase
passphrase-change = Change the passphrase
passphrase-changed = The passphrase is changed.
passphrase-changed-next = From now on only the new one opens this wallet here.
erase-title = Erase this wallet from this device
erase-lost = The keys, the emergency card and everything this wallet remembers leave this device. Only your twelve recovery words, your guardians or a backup file bring them back.
erase-stays = Your records stay at the hospitals, and everything you allowed goes on.
erase-words = If you do not have your words, or are not sure, stop here.
erase-others = Wallets of other people on this device stay.
erase-type = Type the name “{ $name }” to go on
erase-differs = That is not “{ $name }”.
erase-confirm = Erase

# Replacing the keys
keys-title = My phone was lost or stolen
keys-lead = You can make this wallet's keys new. Whoever has your lost phone, or your old recovery words, can then do nothing more in your name.
keys-point-lost = Every other phone and computer with this wallet stops working, also your own. Set them up again with the new words.
keys-point-words = You get twelve new recovery words. The old ones are worthless afterwards.
keys-point-stays = Your records, whom you gave access, and your access log stay as they are.
keys-point-card = Your printed emergency card goes on working, but make a new one soon: who has your phone knows its code.
keys-point-read = What somebody has already read or copied from the lost phone cannot be taken back.
keys-words-title = Write down your new words
keys-sign-title = Make the keys new
keys-sign-lead = From this moment only this device, and the new words, are you. This cannot be undone.
keys-replace = Replace my keys
keys-done-title = Your keys are new
keys-done-text = All your hospitals know the new keys. The lost phone and the old words can do nothing more in your name.
keys-done-paper = Destroy the paper with the old words, and keep the new one where the old one was.
keys-done-card = Make a new emergency card
keys-done-card-why = Who has your phone knows the code of the old one.
keys-last = Keys last replaced: { $date }
keys-waiting = { $n ->
    [one] One hospital does not know the new keys yet.
   *[other] { $n } hospitals do not know the new keys yet.
}
keys-waiting-next = This goes on by itself with the next check. Until then keep the paper with the old words too.
keys-elsewhere = Your keys were replaced on another device.
keys-elsewhere-next = If that was you: restore your wallet here with the new words. If it was not you: call your hospital now.

# Guardians, backup file, moving to another device
security-guardians = People who together can bring this wallet back.
security-backup = A copy of this wallet, locked with your passphrase.
security-move = Scan two codes, and the wallet is there too.
guardians-title = Guardians
guardians-lead = Give people you trust a sheet each. Enough sheets together bring your wallet back, when phone and recovery words are lost.
guardians-point-each = One sheet alone tells nothing, not even to whoever finds it.
guardians-point-who = Choose people who would not be in the same flat, or the same quarrel, at the same time.
guardians-point-hospital = Your hospital's patient office, a notary or a bank can keep one too.
guardians-point-try = Bring enough sheets together once and try them out. Until then they do not count.
guardians-make = Choose guardians
guardians-again = Make new sheets
guardians-try = Try the sheets out
guardians-names-title = Who are your guardians?
guardians-names-lead = The names stay on this device; they help you to find the sheets again.
guardian-name = Guardian { $n }
guardian-more = One more guardian
guardians-too-few = Name at least two guardians.
guardians-twice = Two guardians have the same name. Make them different.
guardians-needed = How many sheets bring the wallet back?
guardians-needed-hint = Fewer is easier for you, and for people who conspire. More is safer, and fails if some are lost.
guardians-needed-of = { $n } of { $total }
guardians-split = Make the sheets
guardians-sheets-title = Hand the sheets out
sheets-once = These sheets are shown once and kept nowhere. Print them, or let each guardian copy theirs before you go on.
sheet-of = Sheet { $n } of { $total }
sheets-photo = No printer? The guardian photographs this screen with their own phone, or writes the words down. Do not photograph it with yours: all sheets in one place are no guardians.
sheets-next = Next sheet
sheets-print = Print all sheets
sheets-handed-out = I have handed them out
sheet-title = Recovery sheet for the Amulet wallet of { $owner }
sheet-for = For { $name } – sheet { $n } of { $total }
sheet-what = Any { $n } of the { $total } sheets together bring the wallet back. { $owner } will ask you in person, never by phone or message.
sheet-qr = Code of this sheet
sheet-numbers = In Amulet: “I have a wallet already”, then “Guardians' sheets”. The numbers beside the words can be typed instead of them (SLIP-0039).
sheet-keep = Keep it where you keep important papers. Show it to nobody else, and do not send it on.
sheet-number = Sheet { $n }
sheet-words = Words of a sheet
sheet-words-hint = All 20 words in order, or the 20 numbers.
sheets-first = Start with any sheet.
sheets-enough = These are enough sheets.
sheets-missing = { $n ->
    [one] One more sheet is needed.
   *[other] { $n } more sheets are needed.
}
sheets-scan = Scan the sheet's code
sheets-type = Type the words instead
sheets-add = Add this sheet
guardians-try-title = Try the sheets out
guardians-try-lead = Take as many sheets as are needed, from the hands they are in now. Nothing is changed, and the sheets stay good.
guardians-untried = Not tried out yet
guardians-untried-next = Nobody knows whether these sheets work. Bring enough of them together once.
guardians-tried = Tried out on { $date }
guardians-tried-next = These sheets bring your wallet back. Try them again once a year.
guardians-worthless = These sheets open nothing any more
guardians-worthless-next = Your keys were replaced after they were made. Make new sheets, and let the guardians destroy the old ones.
guardians-who = { $n } of { $total } sheets are needed
guardians-made = Made on { $date }
guardians-earlier = Sheets that you made before these go on working. If somebody must not have one any more, replace your keys.
backup-title = Backup file
backup-lead = The wallet as a file: keys, emergency card and what this device remembers.
backup-point-passphrase = It opens with the passphrase you have now, and with nothing else.
backup-point-what = Your records are not in it; they are at the hospitals.
backup-point-where = Keep it on another device or a memory stick. Whoever finds it can try to guess your passphrase.
backup-point-words = If you replace your keys, the file is worthless. Save a new one then.
backup-save = Save the backup file
move-title = Move to a new device
move-lead = The new device gets this wallet, here and now, without your recovery words.
move-step-new = On the new device, open Amulet and choose “I have a wallet already”, then “My old device”.
move-step-scan = Scan here the code that it shows.
move-step-back = Then let it scan the code that this device shows.
move-paste = Or paste the text of the code
move-read = Read it
move-compare = Does the new device show the same digits?
move-same = Yes, hand the wallet over
move-differs = No, they differ
move-show = Scan this code with the new device. Nobody else can use it.
move-qr = Code with the wallet, for the new device only
move-text = The code as text
move-then = Does the new device show your wallet? Then decide what happens to this one.
move-erase = If you give this device away, take the wallet off it.
restore-others = No recovery words at hand?
restore-sheets = Guardians' sheets
restore-sheets-text = Enough of the sheets that you once handed out.
restore-file = A backup file
restore-file-text = And the passphrase of the time when it was saved.
restore-device = My old device
restore-device-text = It still opens: scan two codes.
restore-sheets-title = Put the sheets together
restore-sheets-lead = Ask your guardians for their sheets, in person. Any order is fine.
restore-file-title = Restore from a backup file
restore-file-lead = Its name ends in .amuletbackup.
restore-file-choose = Choose the file
restore-file-missing = Choose the backup file first.
restore-device-title = Take over from my old device
restore-device-lead = Both devices lie before you.
move-new-open = On the old device, open the wallet, then Settings, Security, “Move to a new device”.
move-new-scan = Let it scan this code.
move-new-digits = Compare the digits below with those that it shows.
move-new-qr = Code of this device
move-until = This code is good until { $time }.
move-scan-back = The old device shows a code now
move-scan-lead = Scan the code on the old device.
move-again = Back to the code
move-open-lead = Type the passphrase that opened the wallet on the old device. You can change it later.
move-take = Open my wallet here

# Filters, measured values, medicines, log, simple view, colours
filter-clear = Show everything
filter-year = Year
filter-all-years = All years
filter-all-hospitals = All hospitals
labs-title = Measured values
labs-lead = The newest value of each test; open one to see how it went.
labs-search = Search a test
labs-only-out = Only values out of their range
labs-count = { $n ->
    [one] 1 test
   *[other] { $n } tests
}
labs-open = Open the newest record
labs-none-title = No measured values yet
labs-none-text = When a hospital adds laboratory results or vital signs, they appear here.
medicines-title = Medicines
medicines-lead = As your records have them. Ask your doctor before you change anything.
medicines-none-title = No medicines in your records
medicines-none-text = When a hospital orders a medicine or notes one that you take, it appears here.
medicines-note = Each line is what one record says. Two records may tell of the same medicine.
medicines-dose-not-said = Dose: the record does not say
medicines-by-not-said = who ordered it is not said
medicine-current = Current
medicine-on-hold = Paused
medicine-not-said = The record does not say whether you take it
medicine-past = Past
log-search = Search who, what or why
log-kind = What happened
log-kind-all = Everything
log-kind-emergency = Emergency accesses
log-kind-read = Readings
log-kind-allowed = Requests and permissions
log-kind-records = Records added or erased
log-count = { $n } of { $total } lines
log-none-title = No line fits
log-chart = Readings by month, the last { $n } months
log-chart-emergencies = Emergency accesses in { $months }
log-chart-month = { $month }: { $n ->
    [one] 1 reading
   *[other] { $n } readings
}, emergencies: { $emergencies }
settings-simple = Simple view
settings-simple-text = Large type and the four things that matter most. Everything else stays in the settings.
simple-more = More, in the settings
settings-theme = Colours
theme-system = As the device
theme-light = Light
theme-dark = Dark

## Errors: what happened; what it means for you; what to do now
error-code = Code for support: { $code }
error-wrong-passphrase = This passphrase does not open the wallet.
    .means = Your wallet is safe and unchanged.
    .next = Type it again. Mind capital letters and the keyboard’s language.
error-weak-passphrase = This passphrase is too easy to guess.
    .means = Somebody with your device could open your wallet.
    .next = Choose a longer one, for example four words that do not belong together.
error-locked = The wallet is locked.
    .means = Nothing can be shown until it is opened.
    .next = Open it with your passphrase.
error-no-such-wallet = This wallet is not on this device.
    .means = It may have been removed.
    .next = Choose another, or restore it with your recovery words.
error-word-unknown = Word { $index } looks wrong: “{ $word }” is not a recovery word.
    .means = The wallet cannot be restored until every word is right.
    .next = { $suggestion ->
        [none] Look at word { $index } on your paper again.
       *[other] Did you mean “{ $suggestion }”?
    }
error-word-count = { $found } words were typed, but there should be { $expected }.
    .means = The wallet cannot be restored until all words are there.
    .next = Compare with your paper: is a word missing or there twice?
error-word-checksum = { $index ->
        [none] Each word exists, but together they do not fit.
       *[other] Each word exists, but together they do not fit; look at word { $index } first.
    }
    .means = One word is wrong, or two changed places.
    .next = Compare each word, and the order, with your paper.
error-word-languages = Words of two languages are mixed.
    .means = Recovery words are all Chinese or all English.
    .next = Type them all in the language on your paper.
error-words-differ = Word { $index } is not the one that was shown.
    .means = Nothing was made or changed, because your paper may be wrong.
    .next = Go back, compare your paper with the words, and type them again.
error-no-pending-words = The words were shown too long ago.
    .means = Nothing was made or changed.
    .next = Start again with new words, and throw the old paper away.
error-unreachable = No hospital could be reached.
    .means = Nothing was sent or changed. What was fetched before can still be read.
    .next = { $why ->
        [sign_in] This network asks you to sign in first: open any web page, sign in there, come back, and try again.
       *[other] Check the network, then try again.
    }
error-too-few-witnesses = Only { $answered } of the { $needed } hospitals that are needed answered.
    .means = One hospital alone is not trusted, so nothing new is shown.
    .next = Try again in a moment.
error-disagreement = The hospitals contradict each other.
    .means = Several of them signed entries that exclude each other. That must not happen: they are faulty or broken into. Amulet shows nothing new until they agree. Your records are safe.
    .next = Sign and allow nothing new for now. Call your hospital and tell it the code below.
error-forged = The answer of { $hospital ->
        [none] a hospital
       *[other] { $hospital }
    } failed a check.
    .means = It was thrown away. Nothing false is shown, and your records are safe.
    .next = Try again: other hospitals will be asked. If it happens again, tell your hospital and give it the code below.
error-stale = By its clock, this device last checked { $age } ago.
    .means = That is too long to simply go on, or the clock is wrong. Nothing new is shown. What you see was genuine when it was checked.
    .next = Check this device’s clock and the network, then try again. If that does not help, start from another device’s ten words: Settings, “Compare with another device”.
error-clock-behind = The clock of this device seems to be wrong.
    .means = Several hospitals show entries that are dated later than this device’s clock. Nothing new is shown until it is right.
    .next = Set date and time of this device, best automatically, then try again.
error-refused = The hospitals refused this.
    .means = { $reason } Nothing was changed.
    .next = Look at the page again; things may have changed meanwhile.
error-not-committed = The hospitals did not confirm in time.
    .means = It may still go through, but is not certain.
    .next = Wait a minute and look at the access log before trying again.
error-code-not-ours = This code is not from Amulet.
    .means = Nothing was opened.
    .next = Look for the card with the Amulet cross, and scan its code.
error-code-damaged = The code is cut off or mistyped.
    .means = Nothing was opened.
    .next = Scan the whole code again in good light, or check each character.
error-checkpoint-code = This is not the code of a checkpoint.
    .means = Nothing was compared or changed.
    .next = On the other device, open “Compare with another device”, and scan or copy the whole code there.
error-checkpoint-word = Word { $index } looks wrong: “{ $word }” is none of the words that devices show.
    .means = Nothing was compared or changed.
    .next = { $suggestion ->
        [none] Look at word { $index } on the other device again.
       *[other] Did you mean “{ $suggestion }”?
    }
error-checkpoint-word-count = { $found } words were typed, but there are { $expected }.
    .means = Nothing was compared or changed.
    .next = Compare with the other device: is a word missing or there twice?
error-checkpoint-differs = No hospital has an entry with these words; word { $index } is the first that differs.
    .means = A word or the number was misread, or the other device is shown another record. Nothing was changed here.
    .next = Read the number and the words once more. If they are exactly so, call your hospital.
error-card-revoked = This card was revoked or replaced{ $at ->
        [none] {""}
       *[other] {" "}on { $at }
    }.
    .means = It opens nothing. The patient may carry a newer one.
    .next = Look for a newer card, or ask the patient for access.
error-card-unknown = No hospital knows this card.
    .means = It opens nothing; it may be from another network.
    .next = Check the code, or ask the patient for access.
error-no-qr-in-picture = No code can be read in this picture.
    .means = Nothing was opened.
    .next = Take a sharper picture with the whole code in it, or type the code.
error-fhir-refused = The file cannot be taken in: { $message }
    .means = Nothing of it was stored.
    .next = Choose a FHIR R4 bundle of one patient, as JSON.
error-too-large = The file is too large ({ $size }; at most { $limit }).
    .means = Nothing of it was stored.
    .next = Export it in smaller parts, and bring them in one by one.
error-record-unavailable = This record cannot be fetched just now.
    .means = It is safe, but no hospital that holds it answered.
    .next = Try again in a moment.
error-grant-ended = { $why ->
        [expired] The time of this access is over.
        [revoked] The patient has taken this access back.
        [used_up] This access has been used as often as allowed.
        [paused] The patient has paused this access.
       *[other] This access has ended.
    }
    .means = { $why ->
        [paused] The records are closed until the patient lets you read again.
       *[other] The records are closed, and copies must be deleted.
    }
    .next = { $why ->
        [paused] Wait, or speak with the patient.
       *[other] If you still need them, ask the patient again.
    }
error-not-a-clinician = Only a registered clinician can do this.
    .means = Nothing was opened.
    .next = Ask your hospital to register you.
error-not-found = { $what ->
        [identity] No hospital knows a wallet with these words.
        [card] This summary was opened on another device.
       *[other] This does not exist, or no longer.
    }
    .means = Nothing was changed.
    .next = { $what ->
        [identity] Go back and compare the words with your paper; perhaps it is the paper of another wallet.
        [card] Scan the card again here, and declare the emergency.
       *[other] Go back, and look again.
    }
error-storage = This device could not store something.
    .means = The last step may not be kept.
    .next = Free some space, allow this page to store data, and try again.
error-too-many-tries = The passphrase was tried too often.
    .means = { $found } wrong tries in a row. The wallet is safe; it waits, so that nobody can go through all words.
    .next = Wait { $wait }, then type it with care. If you have forgotten it, restore the wallet from your recovery words.
error-keys-replaced = Your keys were replaced on another device.
    .means = This wallet speaks for you no longer. Nothing was changed.
    .next = If it was you, restore your wallet here with the new words. If it was not you, call your hospital now.
error-words-replaced = Other recovery words took the place of these.
    .means = The keys of this wallet were replaced, and these words belong to the ones before.
    .next = Use the newer words. If it was not you who replaced them, call your hospital now.
error-sheet-word = Word { $index } looks wrong: “{ $word }” is no word of a recovery sheet.
    .means = Nothing is lost; the sheet cannot be read like this.
    .next = { $suggestion ->
        [none] Look at word { $index } on the sheet again, or type its number.
       *[other] Did you mean “{ $suggestion }”?
    }
error-sheet-word-count = { $found ->
        [none] A recovery sheet has 20 words.
       *[other] A recovery sheet has 20 words; here are { $found }.
    }
    .means = The sheet cannot be read like this.
    .next = Type all words of one sheet, from the first to the last.
error-sheet-checksum = Each word exists, but together they do not fit.
    .means = One word is wrong, or two changed places.
    .next = Compare word by word with the sheet, or scan its code.
error-sheet-other = This sheet is from another program.
    .means = It is a share of the same standard, but not of an Amulet wallet.
    .next = Look for the sheet that says “Recovery sheet for the Amulet wallet”.
error-sheets-mixed = These sheets do not belong together.
    .means = They were made at different times, or for different wallets.
    .next = Put only sheets together that were made on the same day for the same person.
error-sheets-too-few = { $needed ->
        [none] More sheets are needed.
       *[other] { $found } of { $needed } sheets are there.
    }
    .means = So many tell nothing yet.
    .next = Ask another guardian for their sheet.
error-sheets-contradict = These sheets contradict each other.
    .means = At least one of them is false, by mistake or on purpose. Nothing was restored.
    .next = Try other sheets of the same set, and find out who gave the false one.
error-sheets-elsewhere = These sheets are of another wallet.
    .means = They would bring back other keys than this wallet's.
    .next = Look at the name on the sheets. If it is yours, make new sheets now.
error-wallet-exists = This wallet is on this device already.
    .means = Nothing was changed.
    .next = Open it from the list on the first page.
error-backup-not-ours = This is no backup of a wallet.
    .means = Nothing was changed.
    .next = Look for a file whose name ends in .amuletbackup.
error-other-network = This wallet belongs to other hospitals.
    .means = This app knows other hospitals than those where the wallet is registered. Nothing was changed.
    .next = Use the app of the hospitals that you had when the wallet was made.
error-move-code = This is not the code that a device shows for moving.
    .means = Nothing was handed over or changed.
    .next = Scan the large code on the other device, all of it, in good light.
error-move-over = This code is for another device, or is over.
    .means = Nothing was changed, and nobody can use the code.
    .next = Begin again: show a new code on the new device, and scan it with the old one.
error-bad-request = Something typed cannot be used{ $message ->
        [none] {""}
       *[other] : { $message }
    }.
    .means = Nothing was changed.
    .next = Check what you typed.
error-internal = Amulet made a mistake.
    .means = Your keys and records are not affected.
    .next = Try again. If it happens again, send the code below to support.

## The hospital's console

console-title = Hospital console
console-lead = How this hospital's node does. Nothing here says what stands in a record.
console-token = Token
console-token-where = The token is in the file keys/console.token of the node's folder. It stays in this page only: closing the page forgets it.
console-open = Open the console
console-close = Close the console
console-overview = Overview
console-blocks = Blocks
console-again = Ask again
console-wrong-token = This is not the console's token. Close the console and type the token again; copy it whole, without spaces.
console-not-here = No console answers at this address. Start the node with --console and open the address that it says.
console-unreachable = The node does not answer. See whether it runs, then ask again.
console-hospital = Hospital
console-network = Network
console-version = Version of the node
console-height = Height
console-block-time = Time of the block
console-view = View
console-view-primary = { $view }; primary is validator { $primary }
console-connected = Validators connected
console-connected-of = { $n } of { $all } others; { $needed } in all commit a block
console-waiting = Transactions that wait
console-records = Records registered since the start
console-databases = Databases on disk
console-megabytes = { $n } MB, without the vault
console-scrubbed = Vault last checked
console-never = not yet
console-alarm-forks = Forks of the ledger that were proven to this node: { $n }. This is an emergency: call the other hospitals, and run amulet-node evidence.
console-alarm-evidence = Contradictions of other validators since the start: { $n }. See amulet-node evidence.
console-alarm-lost = Ciphertexts that no hospital could give back: { $n }. Restore them from the backup.
console-alarm-tokens = Requests with a wrong token since the start: { $n }. If that was not one of you, somebody is trying.
console-blocks-title = Blocks
console-page-of = Page { $page } of { $pages }, newest first
console-pages = Pages of blocks
console-newer = Newer
console-older = Older
console-proposer = Proposed by validator
console-transactions = Transactions
console-removed = removed at this node
console-none = none
console-no-blocks = No blocks here
console-no-blocks-text = Blocks appear with the first transaction. If this page is beyond the oldest, choose Blocks to see the newest.
