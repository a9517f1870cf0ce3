# Amulet 简体中文。用邻居听得懂的话；先说谁、看什么、到什么时候、为了什么。

## The frame
app-name = Amulet 护身符
document-title = { $page } – Amulet 护身符
language-own-name = 中文
language-en = English（英文）
language-zh = 中文
skip-to-content = 跳到正文
starting = 正在启动，寻找医院 …
loading = 请稍候 …
working = 正在处理 …
back = 返回
continue = 继续
show = 显示
hide = 隐藏
see = 查看
you = 您本人
try-again = 再试一次
keep-it = 保留
sentences = { $first }{ $second }
list-separator = 、
n-of-m = { $m } 家医院中的 { $n } 家
nav-label = 主要页面
nav-home = 首页
nav-records = 病历
nav-sharing = 授权
nav-card = 急救卡
nav-log = 访问记录
nav-scan = 扫码
nav-ask = 申请
nav-accesses = 我的权限
nav-intake = 导入
not-found-title = 没有这个页面
not-found-text = 地址可能已过期或输错了。什么都没有丢失。
not-found-go = 回到首页

## Time
ago-now = 刚刚
ago-minutes = { $n } 分钟前
ago-hours = { $n } 小时前
ago-days = { $n } 天前
span-seconds = { $n } 秒
span-minutes = { $n } 分钟
span-hours = { $n } 小时
span-days = { $n } 天
time-left = 还剩 { $time }
days-left = 还剩 { $n } 天
time-over = 时间已到
no-date = 没有日期
record-moment = { $day } { $clock }
period-from = { $from }起
period-to = 至{ $to }
age = { $n } 岁
born = { $date }出生

## People
role-patient = 患者
role-clinician = 医生
who-code = 身份码为 { $code } 的人
who = { $name }（{ $hospital }{ $department }）
staff = { $hospital }的全体医务人员
staff-department = { $hospital }{ $department }的全体医务人员
staff-role = { $hospital }的所有{ $role }
staff-department-role = { $hospital }{ $department }的所有{ $role }
study-of = { $hospital }的研究“{ $title }”
role-attending = 主治及以上医师
role-resident = 住院医师
role-intern = 实习人员
role-nurse = 护士
role-pharmacist = 药师
role-technician = 技师
role-researcher = 研究人员
role-assessor = 理赔人员

## Welcome
welcome-title = 我的病历，我做主
welcome-lead = Amulet 把病历交到您自己手里。谁能看、看多久、为了什么，都由您决定。
welcome-promise-keys = 钥匙只在这台设备上。没有它，谁也打不开您的病历。
welcome-promise-decide = 每一次申请都由您同意或拒绝；同意了，也随时可以收回。
welcome-promise-log = 每一次查看您都看得到，并且有证据证明没有遗漏。
welcome-on-device = 这台设备上的钱包
welcome-create = 创建钱包
welcome-restore = 我已有钱包
welcome-checkpoint = 从另一台设备的十个词开始
demo-title = 演示
demo-text = 虚构的人物，供您试用。他们的口令显示在启动演示的地方。
demo-open-as = 以{ $name }的身份打开

## Create and restore
step-of = 第 { $n } 步，共 { $total } 步
create-words-title = 请抄下 12 个恢复词
create-words-lead = 设备丢失后，只有这些词能找回您的钱包。请按顺序抄在纸上。
create-words-warning = 谁拿到这些词，谁就能看您的病历。不要给别人看，不要拍照，不要发送。
create-words-written = 我已经抄好了
words-language = 恢复词的语言
words-chinese = 中文词
words-english = 英文词（English）
create-check-title = 核对您抄下的词
create-check-lead = 请照着纸输入下面这几个词。
word-number = 第 { $n } 个词
word-differs = 这不是第 { $n } 个词。请再看看纸，或返回查看。
create-owner-title = 您是谁？
owner-name = 您的姓名
owner-name-hint = 按您平时的写法。医生会在急救卡上看到。
owner-name-missing = 请输入姓名再继续。
owner-hospital = 您的医院
owner-hospital-hint = 您就诊的医院，它可以把病历放进您的钱包。
owner-hospital-missing = 请选择医院再继续。
create-passphrase-title = 设置口令
create-passphrase-lead = 在这台设备上用它打开钱包。几个词连在一起，好记又难猜。
passphrase = 口令
passphrase-again = 再输一次口令
passphrase-missing = 请输入口令再继续。
passphrase-too-weak = 这个口令太容易被猜到，请加强后再继续。
passphrase-differs = 两次输入的口令不一样，请重新输入。
strength-label = 口令强度
strength-weak = 弱。
strength-fair = 一般。
strength-good = 好。
strength-strong = 强。
strength-not-yet = 还不够。
strength-advice = 四个互不相干的词就是好的开始。
hint-longer = 请再长一些。
hint-common = 攻击者最先试的就是它。
hint-pattern = 请避免重复和 1234 这样的顺序。
hint-more-words = 请再加一两个词。
create-submit = 创建我的钱包
create-done-title = 钱包已建好
create-done-text = { $name }，各家医院已一致登记您的新身份。它只属于您。
create-done-next = 接下来：做一张急救卡，并在医院出示您的二维码来接收病历。
create-done-open = 打开我的钱包
restore-words-title = 输入恢复词
restore-words = 恢复词
restore-words-hint = 全部 12 个词，按顺序输入。中文词之间可以不加空格。
restore-submit = 恢复我的钱包
unlock-title = { $name }，您好
unlock = 打开
remove-wallet = 从这台设备移除此钱包
remove-title = 从这台设备移除{ $name }的钱包？
remove-text = 这台设备上的钥匙将会丢失。病历仍在医院，但只有 12 个恢复词能把它们找回来。没有恢复词，谁也做不到。
remove-confirm = 移除钱包

## Progress
progress-label = 进度
progress-count = { $done } / { $total }
task-unlocking = 正在用口令打开钱包 …
task-waiting-for-hospitals = 正在等各家医院达成一致 …
task-checking = 正在核对医院的答复 …
task-fetching = 正在取病历 …
task-decrypting = 正在打开病历 …
task-sealing = 正在加密 …
task-saving-file = 正在取文件并逐段核对（单位：兆字节）…
task-taking-in = 医院正在接收文件 …

## What was checked
checked-good = 已核对：{ $total } 家医院中 { $agreeing } 家一致，{ $ago }
checked-spared = 已核对：问了 { $agreeing } 家医院，说法一致，{ $ago }；为节省流量没有问其他医院
checked-few = { $total } 家医院中只有 { $agreeing } 家一致，{ $ago }：可以查看，新的操作可能暂时无法确认
checked-old = 上次核对在{ $ago }：{ $total } 家医院中 { $agreeing } 家一致
checked-never = 还没有核对
checked-meaning = 这台设备自己比对了各家医院的答复，并验证了它们的签名。它不单独相信任何一家医院。
checked-unreachable = 暂时联系不上：{ $hospitals }。
proven = 已证实
proof-sentence = 已证实：{ $total } 家医院中 { $signed } 家签名
proof-plain = 这件事在{ $time }写入第 { $block } 个区块，{ $total } 家医院中 { $signed } 家为它签名。这台设备自己核对了：
proof-checks = 核对了什么
proof-technical = 给专业人员
proof-block = 区块
proof-time = 时间
proof-signed = 签名
proof-signers = 谁签的名
proof-header-hash = 区块头哈希
proof-transaction = 交易
check-certificate = 签名的医院足够多
    .more = 超过三分之二的医院在这个区块上的签名都是真的。
check-header-range = 它属于共同的账本
    .more = 这个区块所在的链，正是从本应用认定的起点开始的。
check-receipt = 事情确实发生在这个区块里
    .more = 区块里有这件事的回执，并且它被接受了。
check-history = 没有遗漏
    .more = 在与您有关的完整清单里，它有自己的位置。
check-state = 它现在有效
    .more = 各家医院共同的状态里，正是这个内容。
check-ciphertext = 一个字节都没有改
    .more = 加密的病历就是当初登记的那一份。
check-witnesses = 几家医院说法一致
    .more = 至少问了两家医院，它们给出同一个最新区块。

## The checking page
hospital-unnamed = 一家还不知道名称的医院（{ $id }…）
checking-title = 这是怎么核对的
checking-how = 看看问了哪些医院、核对了什么
checking-lead = 这台设备自己核对各家医院，不单独相信任何一家。
checking-now = 现在核对
checking-good = 已核对，说法一致
checking-wait = 暂时没有完全核对
checking-failed = 这次没能核对
checking-old = 有一阵子没有核对了
checking-danger = 有问题
checking-hospitals = 各家医院的答复
checking-agreement = { $m } 家医院中 { $n } 家一致
checking-agreement-spared = 问了 { $m } 家医院，{ $n } 家一致；{ $spared } 家没有问
checking-contradict = { $m } 家医院中有 { $n } 家的内容互相排斥
checking-silent = { $m } 家医院都没有应答
checking-ahead = { $m } 家医院中有 { $n } 家的日期晚于本设备
checking-liars = { $hospitals }的答复没有通过核对。
checking-liars-means = 它已被丢弃。您看到的内容来自其他医院，它们说法一致。您的病历是安全的。
checking-liars-next = 您可以照常使用。如果明天还看到这句话，请告诉您的医院。
checking-portal = 这个网络要求您先登录。
checking-portal-next = 请打开任意一个网页，在那里登录网络，再回到这里重新核对。在此之前，您看到的是以前核对过的内容。
checking-paused = 自动核对已暂停。在您到这里核对或在下面重新打开之前，您不会知道任何新情况。
checking-under-way = 正在核对，开始于{ $time } ……
checking-next-at = 下次自动核对：{ $time }。
checking-again-at = 最近 { $n } 次核对没有成功，下次尝试：{ $time }。
checking-usage = 用了多少流量
checking-usage-sum = 今天 { $today }，本月 { $month }。
checking-usage-days = 最近 14 天每天的流量
checking-usage-most = 一天最多用了 { $bytes }。
checking-today = 今天
contradiction-do = 现在该怎么做
contradiction-do-nothing = 在您的医院说明问题解决之前，请不要签名，也不要同意任何新的事情。
contradiction-do-call = 打电话给您的医院，再打给上面列出的另一家医院，告诉他们您的设备在什么时候发现了矛盾。
contradiction-do-file = 保存文件，交给您医院的数据保护负责人或卫生主管部门。里面没有您的任何信息。
contradiction-file = 文件里是这两条记录和各家医院的签名。拿到它的人可以用“amulet-light”程序和创世文件，自己核对哪些医院两边都签了名：
contradiction-save = 保存证据
checking-verified = 这台设备自己核对了什么
checking-verified-then = 这台设备上次成功时（{ $time }）自己核对了什么
checking-signatures = 签名是真的
checking-signatures-more = { $m } 家医院中 { $n } 家签了最新的一条。需要超过三分之二。
checking-several = 几家医院说法一致
checking-several-more = 至少问了两家，没有一家的内容与别家矛盾。
checking-continues = 与这台设备以前知道的相接
checking-continues-more = 从第一天到现在，以前有的内容没有改动，也没有遗漏。
checking-newest = 有多新
checking-newest-more = 最新的一条是 { $time } 的。有事情发生才会有新的一条，所以旧一点不必担心。
checking-cost = 应用启动以来，与每家医院
checking-cost-sum = 问了 { $n } 次，共传输 { $bytes }。
checking-cost-more = 只取最新的一条和简短的证明，从不下载整个账本。
checking-when = 什么时候核对
checking-by-itself = 自动核对
checking-by-itself-more = 关掉以后，只有您打开页面或在这里核对时，才会知道紧急查看。
checking-metered = 节省流量
checking-metered-more = 少问几家，也问得少一些，但从不少于两家。按“现在核对”时会问所有医院。
checking-contradictions = 本设备发现的矛盾
checking-contradictions-more = 有两条签名都真实的记录互相排斥，说明在两边签名的医院超过了允许出错的数目。本设备会保留证据，并出示给它能联系上的每家医院。您的病历是安全的。
checking-contradiction = 发现于 { $time }
checking-told-nobody = 还没有医院作出答复。下次核对时会再告知它们。
told-convicts = 已告知。它会把在两边都签了名的各方记入账本。
told-alarmed = 已告知。它已提醒自己的运维人员；仅凭这两条记录还看不出是谁的责任。
told-denied = 已告知，但它说这不是矛盾。
checking-colours = 颜色代表什么
checking-if-good = 绿色：已核对
    .means = 答复的医院足够多，说法一致，签名是真的。
    .next = 您什么都不用做。
checking-if-wait = 黄色：旧了，或在等待
    .means = 联系不上医院，或答复的太少。您看到的内容在核对时是真的，但可能缺少更新的内容。
    .next = 请检查网络，或稍后再试。
checking-if-danger = 红色：互相矛盾
    .means = 医院签了互相排斥的内容，或有答复是伪造的。问题解决之前不显示任何新内容。您的病历是安全的。
    .next = 请不要依赖新的内容。打电话给您的医院，把错误下面的代码告诉他们。
checking-not-seen = 如果所有联系得上的医院一起隐瞒同样的新内容，或者在病历里写错了内容，这台设备无法发现。
checking-chain = 链
checking-epoch = 医院成员变动
checking-epoch-times = { $n ->
    [0] 还没有
   *[other] { $n } 次
    }
checking-trusts-until = 不联网可信到
memory-rebuilt = 这台设备保存的核对记录损坏、丢失或已过时。它已全部重新核对，您的东西没有丢失。
memory-not-kept = 这台设备存不下核对过的内容：是否在另一个窗口打开了本应用，或存储已满？下次将全部重新核对。
memory-start-lost = 这台设备当初是从另一台设备的十个词开始的。保存下来的内容已损坏，现在改按网络文件核对。请在“设置”里与另一台设备对照。
answer-agrees = 一致
    .means = 最新的一条与大家相同。
answer-behind = 落后
    .means = 说法一致，但还缺最新的 { $blocks } 条。
answer-unproven = 未证明
    .means = 它答复了，但没有谁能证明它最新的一条属于这里。
answer-nothing-yet = 新加入
    .means = 还没有任何内容。
answer-not-asked = 没有问
    .means = 为节省流量没有问它。
answer-silent = 无应答
    .means = 联系不上。这不代表它说谎。
answer-elsewhere = 不是它
    .means = 有别的东西代它应答，例如这个网络的登录页面。
answer-refused = 拒绝
    .means = 它现在不愿答复。
answer-other-group = 成员不明
    .means = 它说的医院名单这台设备不认识，也没有说明名单是怎么变的。
answer-ahead-of-clock = 日期不符
    .means = 它最新一条记录的日期晚于本设备的时钟。两边的时钟有一个不准，这并不说明它说谎。
answer-forged = 没通过核对
    .means = 它的答复有错，已经丢弃，改问了别的医院。
answer-contradicts = 互相矛盾
    .means = 它的内容和另一家医院的内容互相排斥。

## Proofs as files
file-title = 把这份证明存成文件
file-log = 这个文件证明这一条，也证明您的记录到现在为止的其他每一条，并且没有遗漏。
file-story = 这个文件证明这份病历的全部经过，并用您完整的记录证明没有遗漏。里面没有病历的内容。
file-record = 这个文件证明哪家医院在什么时候登记了这份病历，并且至今没有改动。里面没有病历的内容。
file-grant = 这个文件证明您允许谁看多少份病历、看到什么时候，或者证明您已经收回。
file-entry = 这个文件证明本设备核对过的最新一条，带有各家医院的签名。里面没有您的任何信息。
file-whom = 谁需要评判这件事，就交给谁：比如数据保护负责人、律师或投诉机构。
file-private = 里面有您的标识，还有哪家医院、哪位医生在什么时候与您有关。它不含病历内容，但也请只交给需要的人。
file-how = 对方可以自己核对，不用联网，也不用相信您或任何一家医院：用“amulet-light”程序，或者带有 Amulet 核对功能的网页，再加上每家医院都能提供的创世文件。
file-save = 保存文件
file-saved = 已保存：{ $name }（{ $bytes }）
file-at = 文件在这里：
file-in-browser = 浏览器已经收下，请到“下载”里找。

## The history of accesses as a file
history-file-title = 保存谁可以看、谁看过的记录，给其他系统（FHIR）
history-file-what = 一个文件，写着您给出的每一项授权、每一次查看，以及每家医院登记了什么，其他医疗系统可以读入。里面没有病历的内容。它本身不证明什么：要证明某一条，请打开那一条，保存它的证明。
history-file-open = 它没有加密，写着哪家医院、哪位医生在什么时候与您有关。请只交给需要的人。
history-file-r5 = 只保存您给出的授权（FHIR R5 Consent）

## The patient summary as a file
summary-file-title = 保存我的病历摘要，给另一位医生（IPS）
summary-file-what = 一个文件，写着不了解您的医生需要知道的内容：您的疾病、过敏和用药，以及疫苗接种、手术、检查结果和医疗器械，来自您所有的医院，并注明每一条来自哪家医院。国外的医院也能把它读进自己的系统。
summary-file-core = 高度敏感的内容不会写进去。别的病历提到它的地方，文件里只显示有内容没有给出。
summary-file-open = 这个文件没有加密。拿到它的人都能看、能转给别人；它不会过期，您也收不回来。请只交给需要它的医生，用完后从本设备删除。
summary-file-en = 保存英文版
summary-file-zh = 保存中文版
summary-file-listed = { $n ->
    [0] 里面没有列出病历，并写明对疾病、过敏和用药没有信息。
   *[other] 里面列出了 { $n } 份病历。
}
summary-file-left-out = 有 { $n } 份较早的病历没有写进去，因为有更新的。
summary-file-kept-back = 有 { $n } 份高度敏感的病历没有写进去。
summary-file-missing = 有 { $n } 份病历没能取到或读出。文件里写明了它不完整；最好稍后再保存一次。

## Checkpoints
checkpoint-title = 与另一台设备对照
checkpoint-line = 用十个词看出两台设备看到的是不是同一份账本。
checkpoint-lead = 把这十个词念给另一位打开了 Amulet 的人，比如您的女儿或您的医院。如果对方的设备说“一致”，你们看到的就是同一份账本，不是专门编给您一个人看的。
checkpoint-here = 这台设备的词
checkpoint-entry = 它们代表第 { $height } 条，即本设备核对过的最新一条，时间是{ $time }。里面没有您的任何信息，谁听到都没关系。
checkpoint-started-from = 这台设备是从另一台设备的第 { $height } 条开始的。
checkpoint-code = 同样内容的码
checkpoint-qr-label = 本设备检查点的二维码
checkpoint-text = 码的文字
checkpoint-text-hint = 以“amulet-checkpoint”开头，请全部粘贴。
checkpoint-text-missing = 请先粘贴这段文字。
checkpoint-compare = 输入另一台设备的词
checkpoint-what = 这有什么用
checkpoint-what-text = 如果有人控制了这台设备的网络，或者很多医院一起说谎，两台设备看到的内容就会不同，词也会不同。新设备或多年没用的设备，也可以从这些词开始。
checkpoint-start-link = 让这台设备从另一台的词开始
checkpoint-how = 您怎样拿到另一台设备的内容？
checkpoint-by-words = 我输入编号和十个词
checkpoint-by-code = 我扫码或粘贴
checkpoint-number = 条目编号
checkpoint-number-hint = 在另一台设备上，写在词的上面。
checkpoint-number-missing = 请输入编号，只要数字。
checkpoint-words = 十个词
checkpoint-words-hint = 按顺序输入，英文词之间用空格；中文或英文都可以。
checkpoint-words-count = 已输入 { $n } 个，共 { $total } 个
copy = 复制
copied = 已复制
copy-by-hand = 文字已选中，请用键盘或长按来复制。
compare-title = 另一台设备显示什么？
compare-lead = 在另一台设备上打开“设置”，再点“与另一台设备对照”。
compare-submit = 对照
comparison-same = 两台设备一致
    .means = 到第 { $height } 条（{ $time }）为止，两台设备看到的是同一份账本，之前的内容在哪一台上都没有改动，也没有遗漏。
    .next = 您什么都不用做。
comparison-word = 第 { $word } 个词与这里不同
    .means = 多半是某个词或编号看错了。如果没有看错，就说明两台设备看到的内容不同。
    .next = 请把编号和所有的词再看一遍。如果确实如此，请不要在任何一台设备上签名或同意任何事，并打电话给您的医院。
comparison-different = 两台设备不一致
    .means = 在第 { $height } 条，另一台设备的内容与这台不同。其中一台看到的是假的。
    .next = 请不要在任何一台设备上签名或同意任何事。打电话给您的医院，告诉他们编号 { $height }。
comparison-other-network = 无法对照
    .means = 另一台设备用的是另一组医院。
    .next = 请与使用同一组医院的设备对照。
comparison-newer = 暂时无法对照
    .means = 另一台设备显示第 { $height } 条，而这台设备能取到的最新一条是第 { $newest } 条。可能只是慢一点，也可能编号看错了。
    .next = 请等一分钟再试，或者在另一台设备上输入这台设备的词。
start-title = 从另一台设备开始
start-lead = 这台设备将以另一台设备的最新一条为起点，而不是最早的一条。
start-when = 只有在这台设备很久没用，或者您想确认它与一台您信任的设备看到同样的内容时，才需要这样做。请从您认识的人那里，当面或在电话里拿到这些词，不要相信陌生人发来的消息。
start-submit = 从那里开始
start-done = 这台设备现在从那里开始
start-done-means = 它已和医院核对了第 { $height } 条，以后的一切都必须接着它。您的钥匙和病历没有变化。
start-not-done = 这台设备没有任何改动。

## 通知
inbox-title = 通知
inbox-bell = { $n ->
    [0] 通知，没有新内容
   *[other] 通知，{ $n } 条新内容
}
inbox-new = 新
inbox-empty-title = 没有新内容
inbox-empty-text = 需要您处理或值得知道的事会在这里：谁申请查看，谁打开过您的急救摘要，哪些授权快到期，谁还没有答复。
inbox-empty-text-clinician = 需要您处理的事会在这里：快到期的权限，须确认的删除，到期的复核。
inbox-ending = { $who }可以查看到 { $date }，到期自动结束。
inbox-ended = { $who }不能再查看了，授权已结束。
inbox-deletion-overdue = { $who }到期没有确认删除。
inbox-erasure-overdue = 有一份病历到期没有删除或没有答复。
inbox-disagree = 医院的说法互相矛盾。请先看看是哪些医院，再采信新内容。
inbox-my-ending = 您可以查看一位患者的病历到 { $date }，到期自动结束。
inbox-receipt-due = 请在 { $date } 之前确认您已删除看过的内容。
inbox-receipt-overdue = 您应在 { $date } 之前确认删除看过的内容，但还没有确认。
inbox-review-due = 您的医院须在 { $date } 之前复核您的紧急查看。
inbox-review-overdue = 您的医院应在 { $date } 之前复核您的紧急查看，但还没有复核。

## Home
home-title = { $name }，您好
home-erasures-overdue = 有 { $n } 份病历到期没有删除或没有答复
home-overdue = 有 { $n } 位查看者到期没有确认删除
home-paused = 自动核对已暂停。
home-paused-next = 只有打开页面时，您才会知道紧急查看。可以在这里重新打开。
home-card = 急救卡
home-card-ready = 已做好，可以出示或打印。
home-card-none = 还没有做。它可能救您的命。
home-readers = { $n ->
    [0] 现在没有人能看您的病历
   *[other] 现在有 { $n } 人能看部分病历
}
home-code-text = 让医生或医院找到您
home-newest = 最新
home-all-records = 全部 { $n } 份病历
home-empty-title = 您的病历会放在这里
home-empty-text = 请在医院出示您的二维码。医院把病历放到这里，加密之后只有您能打开。
home-empty-step = 出示我的二维码
home-request = { $who }申请查看：{ $what }
home-emergency = { $who }打开了您的急救摘要
answer-by = 您可以在{ $date }之前答复。
emergency = 急救

## Records
records-search = 搜索
records-filter = 只看
records-count = { $n } 份病历
records-missing = 有 { $n } 份病历暂时取不到。它们是安全的，Amulet 会自动再试。
rules-closed = 患者开放的记录中有 { $n } 份没有向您显示。
rules-closed-kind = { $category }（{ $class }）：{ $n } 份
rules-closed-unpermitted = 按您的岗位、科室和这次的目的，联盟没有一条规则允许查看。
rules-closed-help = 除患者授权外，联盟的规则同样适用。如确有需要，请找规则允许查看的同事，或联系您所在的医院，由医院解释或修改规则。
reading-narrowed = 患者刚刚关闭了其中一些病历，这里是剩下的。
reading-missing = 还有 { $n } 份病历也可以看，但暂时没有医院能提供。
records-none-title = 没有找到
records-none-text = 没有病历包含这些词。请减少几个词，或查看全部类别。
show-more = 显示更多（还有 { $n } 份）
category-all = 全部
category-count = { $category } { $n }
category-count-inline = { $category }（{ $n } 份）
category-allergies = 过敏
category-conditions = 疾病
category-medicines = 用药
category-labs = 化验
category-vital-signs = 生命体征
category-immunizations = 疫苗
category-procedures = 手术与操作
category-imaging = 影像
category-visits = 就诊
category-care-plans = 照护计划
category-documents = 文书
category-devices = 植入器械
category-social = 生活史
category-administrative = 行政
category-billing = 费用
category-other = 其他
class-public = 公开
class-internal = 内部
class-sensitive = 敏感
class-core = 高度敏感
record-title = 病历
record-category = 类别
record-date = 日期
record-hospital = 来自
record-class = 保护级别
record-narrative = 原文
trend-title = { $name }的变化
trend-chart = { $name }的 { $n } 个数值的图表。下面的表格内容相同。
trend-band = 色带是最新数值的参考范围：{ $range }。
trend-other-units = 另有 { $n } 个数值用的是别的单位，不在此图中。
trend-as-table = 用表格显示
trend-note = 数值与记录中所写一致。三角形表示超出范围，空心标记表示像“< 5”这样的界限。每家医院各有一条线。这对您意味着什么，请问医生。
standing-low = 低于范围
standing-within = 在范围内
standing-high = 高于范围
story-title = 这份记录的来龙去脉
story-lead = 从登记那天起的全部经过：谁得到过授权、谁看过、何时结束。每一行都有各自的证据。
story-complete = 完整：共 { $n } 条，一条不缺。
story-registered = 已登记
story-amended = 登记了新的版本
story-opened = 已开放给他人查看
story-paused = 暂停了对它的授权
story-resumed = 恢复了暂停的授权
story-extended = 延长了对它的授权
story-read = 被查看
story-closed = 提前结束了对它的授权
story-deleted = 查看者确认已删除
story-erasure-asked = 您请求删除
story-erasure-refused = 医院予以保留
story-erased = 医院已将它删除
story-erasure-confirmed = 一家医院确认不再保存
large-title = 大文件
large-size = { $size }，{ $kind }
large-text = 它太大，不能在这里显示。您可以保存成文件，用其他程序打开；边取边解密，并逐段核对。保存的文件没有加密。
large-save = 保存文件
large-cancel = 取消
large-cancelled = 已取消，没有保存任何内容。
erasure-title = 删除这份病历
erasure-none = 这份病历由{ $hospital }制作，是否删除由该院决定。法律要求医院保存病历：门急诊病历自最后一次就诊起不少于 15 年，住院病历自最后一次出院起不少于 30 年。
erasure-ask = 请求删除
erasure-ask-title = 请求删除这份病历？
erasure-ask-text = { $hospital }会在 30 天内答复：予以删除，或依法保留并说明理由。删除以后，您和任何医生都看不到它了。如果以后可能用到，请先保存一份。
erasure-ask-keep = 暂不
erasure-asked = 您在{ $at }向{ $hospital }提出了请求。
erasure-answer-by = 医院要在{ $by }前答复。
erasure-answer-overdue = 医院本应在{ $by }前答复，但没有答复。监督各医院的人都能看到这一点。
erasure-kept = { $hospital }保留这份病历，到{ $until }为止
erasure-erased = { $hospital }在{ $at }删除了这份病历
erasure-confirmed = { $hospital }于{ $at }签名确认不再保存。
erasure-receipt-owed = { $hospital }要在{ $by }前确认。
erasure-receipt-overdue = { $hospital }本应在{ $by }前确认，但没有确认。
erasure-limits = 没有医院会再把它交给任何人，也不会从备份中恢复。签名表示医院为此负责；没有人能查看医院的备份。之前看过的人已经看过了。
erasure-ground-patient-asked = 应您的请求。
erasure-ground-retention-over = 法律规定的保存期限已满。
erasure-ground-registered-in-error = 它本不该登记：是别人的病历，或是登记有误。
erasure-ground-ordered = 法院或主管部门要求删除。
keep-reason-retention = 法律规定病历要保存到那时。
keep-reason-dispute = 正在进行的纠纷或调查需要它。
keep-reason-public-health = 公共卫生需要它，例如法定报告的传染病。
erased-records = 已删除的病历：{ $n } 份
erased-records-text = 内容已经没有了。曾经有过、谁删除的、谁确认的，都还留着。
record-source = 原始数据（{ $kind }）

## Labels of facts
label-value = 结果
label-component = 分项
label-reference-range = 参考范围
label-interpretation = 判断
label-dose = 剂量
label-route = 途径
label-severity = 严重程度
label-reaction = 反应
label-criticality = 危险程度
label-clinical-status = 病情状态
label-verification = 确定程度
label-onset = 开始
label-end = 结束
label-period = 期间
label-performer = 执行者
label-requester = 开具者
label-organization = 机构
label-place = 地点
label-reason = 原因
label-body-site = 部位
label-method = 方法
label-note = 备注
label-result = 检查结果
label-conclusion = 结论
label-lot-number = 批号
label-dose-number = 第几剂
label-target = 目标
label-manufacturer = 制造商
label-model = 型号
label-serial-number = 序列号
label-sex = 性别
label-birth-date = 出生日期
label-address = 地址
label-contact = 联系方式
label-identifier = 编号
label-relationship = 关系
label-speciality = 专科
label-section = 章节
label-attachment = 附件
label-amount = 数量
label-activity = 活动
label-kind = 类型
label-ingredient = 成分
label-form = 剂型
label-not-done = 未实施

## Codes of records
value-active = 活动期
value-inactive = 不活动
value-resolved = 已痊愈
value-remission = 缓解
value-recurrence = 复发
value-relapse = 复发
value-confirmed = 已确认
value-unconfirmed = 未确认
value-provisional = 暂定
value-differential = 待鉴别
value-refuted = 已排除
value-mild = 轻度
value-moderate = 中度
value-severe = 重度
value-low = 低
value-high = 高
value-unable-to-assess = 无法评估

## Where a line of the summary comes from
resource-allergyintolerance = 过敏记录
resource-observation = 检验与观察
resource-medicationrequest = 处方
resource-medicationstatement = 用药记录
resource-medicationadministration = 给药记录
resource-medicationdispense = 发药记录
resource-condition = 诊断
resource-device = 器械记录
resource-deviceusestatement = 器械使用记录
resource-immunization = 接种记录
resource-procedure = 操作记录
resource-patient = 患者资料
resource-relatedperson = 患者资料
resource-composition = 文书
resource-diagnosticreport = 检查报告

## Sharing
sharing-lead = 谁在申请，谁现在能看，谁以前能看。
sharing-empty-title = 没有人在看您的病历
sharing-empty-text = 医生申请查看时，您会在这里看到，由您决定。
sharing-empty-step = 给医生出示我的二维码
sharing-waiting = 等您答复
sharing-active = 现在能看的
sharing-active-none = 现在没有人能看您的病历。
sharing-ended = 已结束（{ $n }）
give-open = 授权给别人
give-title = 授权
give-lead = 选择给谁、给什么。签名前您会看到具体开放哪些内容。
give-whom = 给谁？
give-person = 一位医生或其他医务人员
give-relative = 照顾我的家人
give-staff = 一家医院的全体医务人员
give-code = 对方的标识码
give-code-hint = 以“did:amulet:”开头，对方可以在自己的应用里找到。
give-no-code = 这不是个人标识码。标识码以“did:amulet:”开头。
give-hospital = 医院
give-hospitals = 给哪些医院的病历？
give-hospitals-hint = 每家医院各签一份授权。取消勾选，对方就不知道您在那里就诊。
give-hospitals-missing = 请至少选一家医院的病历。
give-joins = 您把{ $hospitals }的病历给同一个人看。对方会知道这是同一个人的病历；别人看到同时给同一人的两份授权，也可能猜到。
give-failed = { $hospital }的病历没有给成：
give-role = 其中哪些人？
give-role-all = 全部
give-staff-hint = 指查看时在该院执业的人。每次查看都会记下是谁看的。密钥由您信任的这家医院保管。
give-categories = 可以看什么？
give-categories-hint = 对方不需要的，请取消勾选。
give-new-records-more = 在此期间医院新增的病历会自动开放给对方；之后就不再开放。
give-preview = 看看会开放什么
give-back = 修改
share-standing = 到期之前，以后新增的这几类病历也会开放：{ $what }。

abroad-title = 给国外的医生
abroad-lead = 给没有 Amulet 的医生一个链接，打开您的病历摘要。
abroad-what = Amulet 按现在的病历做一份摘要并加密。医院代为保存，但读不了：钥匙只在链接里。这是 SMART Health Link，许多国家的医院和软件都能打开。
abroad-name = 用途
abroad-name-hint = 例如医院或城市。拿到链接的人都能看到这个名称。
abroad-language = 标题的语言
abroad-guarded = 需要口令
abroad-guarded-more = 请亲口告诉医生，不要和链接一起发。输错十次，链接就永远失效。
abroad-passcode = 链接口令
abroad-passcode-hint = 至少六个字符。请用一个没在别处用过的。
abroad-passcode-short = 口令至少六个字符。
abroad-unguarded = 谁拿到链接，比如转发的消息或拍的照片，到期之前都能看您的摘要。
abroad-make = 生成链接
abroad-made = 链接已生成。摘要里有 { $n } 条病历。
abroad-missing = 有 { $n } 条病历没有取到。摘要里写明了它不完整。
abroad-left-out = 有 { $n } 条病历不在其中：同类很多时较早的，以及太敏感、只留在医院的。
abroad-qr-label = 病历摘要的链接
abroad-link = 链接
abroad-hand = 给医生扫码，或把链接发过去。对方不用账号，就能看到您今天的摘要。
abroad-hand-guarded = 给医生扫码，或把链接发过去，再告诉对方口令。对方不用账号，就能看到您今天的摘要。
abroad-elsewhere = 这个链接是另一台设备生成的。在这里可以收回，但不能显示。
abroad-open = { $n } 个链接可以打开
abroad-over = 已结束（{ $n }）
abroad-unnamed = { $day }的链接
abroad-lasted = { $from }生成，有效期到 { $until }
abroad-until = 有效期到 { $until }。加密保存在{ $hospital }。
abroad-attempts = 需要口令；还可以输错 { $n } 次
abroad-no-passcode = 不需要口令
abroad-show = 显示二维码
abroad-not-opened = 还没有人打开过。
abroad-opened = 打开过 { $n } 次
abroad-opening = { $who }，{ $at }
abroad-names-unproven = 名字是对方自己填的，没有证据。
abroad-silent = { $hospitals }没有应答。保存在那里的链接现在没有显示。
abroad-nothing = 等医院添加了您的病历，就可以在这里生成链接。
abroad-revoke-title = 收回这个链接？
abroad-revoke-text = 医院会立即删除这份摘要，链接再也打不开。看过的人可能已经留了副本。
abroad-revoke-keep = 保留链接
link-open = 可以打开
link-expired = 已过期
link-revoked = 已收回
link-guessed = 口令输错太多次

research-title = 科研
research-lead = 经伦理委员会批准的研究。参加与否，都不影响您的诊疗。
research-joined = 您参加的研究
research-open = 可以参加的研究
research-empty-title = 暂时没有可参加的研究
research-empty-text = 伦理委员会批准研究后，会显示在这里。您不需要做什么。
study-who = { $hospital }的研究人员
study-who-department = { $hospital }{ $department }的研究人员
study-sentence = { $who }可以查看您的{ $what }，最晚到 { $until } 为止，用于科学研究。
study-dates-all = 不限病历日期。
study-dates-from = { $from } 及以后的病历。
study-dates-to = { $to } 及以前的病历。
study-dates-between = { $from } 至 { $to } 的病历。
study-approved = { $board }于 { $at } 批准。
study-approved-by-former = 于 { $at } 批准；批准的伦理委员会现已不在任。
study-participants = 已有 { $n } 人参加，最多 { $max } 人。
study-full = 这项研究的参加人数已满。
study-see = 查看会开放什么
study-opens = 可以查看{ $what }，到 { $until } 为止。
study-about = 关于这项研究
study-title = 参加研究
study-not-anonymous = 研究人员看到的是医院写下的原始病历，里面可能有您的姓名、其他信息和确切日期，因此可能认出您是谁。
study-new-records-more = 这几类以后新增的病历也会开放：{ $what }，到 { $until } 为止。
study-take-back = 到 { $until } 自动结束。您可以随时退出，不需要理由；已读的内容届时必须删除。
study-join = { $n ->
    [0] 参加
   *[other] 参加，开放 { $n } 份病历
}
study-joined-title = 您已参加
study-joined-back = 我的研究
study-withdraw = 退出
study-withdraw-title = 退出“{ $title }”？
study-withdraw-text = 研究人员不能再查看任何内容。已读的必须删除，并须签名确认。已经得出的研究结果会保留。
study-withdraw-keep = 继续参加
study-left = 您已退出“{ $title }”。已读的内容必须删除。
preferences-title = 从不给、每次都问
preferences-lead = 这里的设置，对您今后给出的每一次授权都有效。
preferences-limits = 只保存在这台设备上，不改变已经给出的授权，也不包括急救卡。个别病历可以在签名时取消勾选。
preference-free = 每次由我选择
preference-ask = 每次都问：不替我预先勾选
preference-never = 从不给
settled-withheld = 您设定了从不给的内容，保持不开放：{ $what }。可以在设置里更改。
settled-ask = 您要求每次都问的内容没有勾选：{ $what }。以后新增的也不开放。
settled-never = 您设定了从不给。可以在设置里更改。
settled-not-later = 每次都问；以后新增的不开放。
share-sentence = { $who }可以查看您的{ $what }，到{ $until }为止，用于{ $purpose }。
share-was = { $what }，从{ $from }到{ $until }
share-uses = { $n ->
    [0] 还没有看过
   *[other] 已看过 { $n } 次
}
share-uses-of = 已查看 { $n } 次，最多 { $max } 次
share-active = 有效
share-paused = 已暂停
share-used-up = 次数已用完
share-expired = 已到期
share-revoked = 已收回
take-back = 收回
take-back-keep = 先不收回
take-back-title = 收回{ $name }的查看权限？
take-back-text = 对方将不能再打开这些病历。已经看过的内容无法抹去。如果还需要，对方必须重新申请。
pause = 暂停
resume = 恢复查看
paused-title = 已暂停：{ $who }，{ $what }
used-up-title = { $who }已按您允许的次数看过{ $what }，此后一小时内还能再打开。
paused-text = 在您恢复之前，对方不能打开这些病历。已经看过的内容无法抹去。到期时这次授权照样结束。
sharing-overdue = 没有确认删除
said-taken-back = 已收回：{ $who }不能再查看。
said-paused = 已暂停：在您恢复之前，{ $who }什么都不能查看。
said-resumed = { $who }又可以查看了。
said-extended = { $who }可以查看到{ $until }。
narrow-open = 缩小范围
narrow-title = 缩小授权范围
narrow-records = 哪些病历继续开放？
leave-out-all = 全部去掉：{ $category }
put-back-all = 全部放回：{ $category }
narrow-hidden = 还有 { $n } 份开放的病历，这台设备现在无法显示。它们会继续开放。
narrow-until = 到什么时候？
sooner-same = 到{ $until }，和现在一样
sooner-hour = 一小时，到{ $until }
sooner-day = 一天，到{ $until }
sooner-week = 一周，到{ $until }
narrow-uses = 还可以看几次？
fewer-same = 不限次数，和现在一样
fewer-same-of = 还可以看 { $n } 次，和现在一样
fewer-once = 只再看一次
fewer-thrice = 再看三次
narrow-after = 继续开放的内容
narrow-nothing-left = 这样就什么都不剩了。要结束授权，请回到上一页按“收回”。
narrow-uses-left = 对方还可以看 { $n } 次。
narrow-closed = { $n ->
    [0] 没有关闭任何病历。
   *[other] 会关闭 { $n } 份病历。
}
narrow-standing = 以后新增的这些种类的病历也会继续开放：{ $what }。要停止，请收回授权。
narrow-unread = 还没有人按这次授权看过病历。
narrow-read-already = 对方已经看过 { $n } 次。看过的内容无法抹去；授权结束之前，对方也没有删除的义务。
narrow-go-on = 继续
narrow-confirm-title = 以后只开放这些？
narrow-confirm-text = { $n ->
    [0] 之后要再放宽，需要您重新签名。
   *[other] 去掉的 { $n } 份病历，要对方重新申请才能再开放。
}已经看过的内容无法抹去。
narrow-confirm = 签名：缩小范围
narrow-keep = 保持不变
narrow-done = 范围已缩小
narrow-ended = 这次授权已经结束，不再开放任何内容。
extend = 延长时间
extend-title = 让{ $name }再看多久？
extend-text = 目前到{ $until }结束。延长不会打开别的病历。
extend-day = 多一天，到{ $until }
extend-week = 多一周，到{ $until }
extend-month = 多三十天，到{ $until }
extend-confirm = 签名延长
extend-keep = 不延长
deletion-owed = 对方须在{ $by }前确认看过的内容都已删除。
deletion-overdue = 对方本应在{ $by }前确认看过的内容都已删除，但还没有确认。请向该医院询问。
deletion-confirmed = 对方于{ $at }签名确认：看过的内容都已删除。
purpose-treatment = 治疗
purpose-second-opinion = 第二诊疗意见
purpose-ongoing-care = 持续照护
purpose-family-carer = 家人照护
purpose-emergency = 急救
purpose-insurance-claim = 保险理赔
purpose-research = 科学研究
request-title = 查看申请
request-sentence = { $who }将可以查看您的{ $what }，到{ $until }为止，用于{ $purpose }。
request-take-back = 您随时可以收回。
cannot-pass-on = 谁也不能把这项授权转给别人。其他人要看，也得向您申请。
request-exactly = 就是这 { $n } 份病历
request-exactly-hint = 点开类别可以看到每一份。不想给的，取消勾选。
request-nothing = 您没有这些类别的病历，所以没有可以授权的内容。
left-out-count = 不给 { $n } 份
request-staff = 对方不只为自己申请：{ $who }届时也可以查看。每次查看都会记下是谁看的。
request-only-asker = 只给{ $name }，不给别人
request-only-asker-more = 这样对方的同事什么也打不开。
request-new-records = 也包括这几类新增的病历
request-new-records-more = 到{ $until }为止，医院新增的病历会自动开放给对方；之后就不再开放。
request-later = 以后的病历呢？
request-later-text = 以后新增的病历不包括在内。要看新的，对方必须重新申请。
request-dates-between = 只包括{ $from }到{ $to }的病历。
request-dates-from = 只包括{ $from }及以后的病历。
request-dates-to = 只包括{ $to }及以前的病历。
grant = 同意查看 { $n } 份病历
decline = 拒绝
granted-title = 已同意
declined-title = 已拒绝
declined-text = { $name }什么也看不到，只会知道您拒绝了。
to-sharing = 去“授权”页

## Emergency card
card-title = 急救卡
card-none-title = 还没有急救卡
card-none-text = 您无法说话时，医生扫一扫这张卡，几秒钟就能看到过敏和用药。每次查看都有记录，并且会告诉您。
card-make = 做一张急救卡
card-banner = 急救 · 请扫码
card-far-label = 可从更远处扫描的二维码，用于打开急救摘要，不含卡上信息
card-qr-label = 急救二维码
card-scan-hint = 登记过的医生扫码并声明急救后才能查看。您会得到通知，{ $hours } 小时后自动结束。
card-typed-code = 无法扫码时，请输入：
card-made-at = 制作于{ $date }
card-print = 打印随身卡
card-replace = 更换
card-revoke = 作废急救卡
card-revoke-title = 作废这张急救卡？
card-revoke-text = 所有副本，包括打印出来的，都将永远失效。在您做新卡之前，急救时医生打不开您的摘要。
card-make-title = 卡上写什么？
card-make-lead = 分两层：谁都能看的几条，和声明急救的医生才能看的摘要。
card-open-facts = 谁扫码都能看
card-open-facts-hint = 没有网络也能看。请只留救命的内容。
card-room-label = 卡上的空间
card-room = 已用 { $used } 字节，共 { $all } 字节
card-too-much = 内容太多，二维码放不下。请取消几项。
card-add-fact = 自己添加一条
card-fact-kind = 是什么？
card-fact-text = 内容
card-fact-hint = 请简短，例如：儿子李伟 138 0013 8000
card-fact-too-long = 太长了，卡上放不下。请缩短。
card-fact-add = 添加
card-summary = 声明急救之后才能看
card-summary-hint = 来自病历的完整摘要。不想给的取消勾选；医生会看到您没有提供。
card-entries = { $n ->
    [0] 病历里没有
   *[other] { $n } 条
}
card-preview = 谁都能看到的样子
card-preview-empty = 什么也没有。这样的卡只有联网才有用。
card-make-submit = 制作急救卡
fact-name = 姓名
fact-birth-year = 出生年份
fact-blood-group = 血型
fact-allergy = 过敏
fact-medicine = 用药
fact-condition = 疾病
fact-device = 植入器械
fact-contact = 紧急联系人
section-allergies = 过敏
section-blood-group = 血型
section-medicines = 用药
section-conditions = 疾病
section-devices = 植入器械
section-immunizations = 疫苗
section-contacts = 联系人
print-title = 打印急救卡
print-lead = 剪下来，沿线对折，放在身份证后面。
print-now = 打印
print-how = 急救：请由登记医生用 Amulet 扫描此码。查看会被记录，{ $hours } 小时后结束。
print-pdf = 要存成 PDF，请在打印窗口里选“另存为 PDF”。
print-helpers = 给没有 Amulet 的施救者
print-helpers-hint = 多印一面：病历摘要的链接，需要口令。请把口令告诉您信任的人，例如紧急联系人。
print-with-link = 打印“{ $name }”（到 { $until }）
print-make-link = 生成链接
print-link-how = 没有 Amulet 的施救者：用任何支持 SMART Health Link 的软件扫码。口令请问我的联系人。
card-forms = 锁屏图片或文字
card-forms-text = 拿起您手机的人都能看到。里面有您选的急救信息，以及登记医生用来打开摘要的码。
card-wallpaper = 保存锁屏图片
card-wallpaper-text = 图片给时钟留了位置。请在手机设置里设为锁屏。换新卡后它就失效，请重新保存。
card-wallpaper-impossible = 这个浏览器画不了图片。请用文字，或者打印急救卡。
card-as-text = 文字，可填进手机的急救信息
card-text-how = 急救：请由登记医生在 Amulet 里输入此码。查看会被记录，{ $hours } 小时后结束。
card-fact = { $kind }：{ $text }

## My code
code-title = 我的二维码
code-lead = 医生或医院扫这个码来找到您。凭它看不到任何病历。
code-qr-label = 我的二维码
code-for = 给哪家医院？
code-not-joined = 每家医院有各自的码。只看各医院共同的账本，谁也看不出这些码属于同一个人；把两个码给同一个人看，他就知道了。
code-safe = 请只给为您看病的人看。凭它可以向您发申请，也能看到病历和查阅有多少条，但看不到内容。

## My hospitals
hospitals-title = 我的医院
hospitals-lead = 在这里您是同一个人。对每家医院，您是不同的身份，所以谁也不能从共同的账本上把您的就诊拼在一起。
hospitals-known = 您在 { $n } 家医院就诊
hospitals-apart = 每家医院名下是您在那里的码。用恢复词可以全部找回。
hospitals-all = 网络里的医院您都已添加。
hospitals-add = 添加医院
hospitals-add-text = 到新的医院就诊时添加。Amulet 会为它生成新的码；在那里请只出示这个码。
hospitals-added = 已添加{ $hospital }。请向他们出示为他们生成的码。
as-patient-of = 作为{ $hospital }的患者

## Access log
log-lead = 您的病历上发生过的一切，都有证据。
log-complete = 完整：一共就是这 { $n } 条
log-incomplete = 还没有证实完整。Amulet 会自动再次核对。
log-empty-title = 还没有发生任何事
log-empty-text = 每次有人申请、查看或添加病历，都会写在这里。
log-line-title = 第 { $n } 条记录
log-identity-registered = 您的身份已登记
log-records-registered = 新增了 { $n } 份病历
log-card-made = 制作了急救卡
log-card-revoked = 作废了急救卡
log-emergency-declared = 声明急救并打开了您的摘要
log-opened-to-me = 向您开放了病历
log-opened-to-me-changed = 更改了向您开放的内容
log-opened-to-me-revoked = 收回了向您开放的内容
log-read-by-me = 您查看了所照顾的人的 { $n } 份记录
log-deleted-by-me = 您确认看过的内容都已删除
log-erasure-asked = 您请医院删除 { $n } 份病历
log-erasure-ordered = 删除了您的 { $n } 份病历
log-erasure-refused = 依法保留您请求删除的 { $n } 份病历
log-erasure-confirmed = 确认不再保存 { $n } 份已删除的病历
log-keys-replaced = 您的密钥已更换
log-erasure-confirm-by = 每一家存有副本的医院都要在{ $by }前确认。
log-erasure-until = 到{ $until }为止。
log-access-requested = 申请查看您的病历
log-access-granted = { $n ->
    [0] 您同意了查看
   *[other] 您同意查看 { $n } 份病历
}
log-access-declined = 您拒绝了一个申请
log-access-revoked = 您收回了查看权限
log-about = { $who }的权限。
log-access-narrowed = 您缩小了一次授权
log-access-extended = 您延长了一次授权
log-records-opened = 按您给出的授权，开放了 { $n } 份新病历
log-access-paused = 您暂停了一次授权
log-access-resumed = 您恢复了一次授权
log-deletion-confirmed = 确认看过的内容已删除
log-until = 到{ $until }为止
log-records-read = { $n ->
    [0] 查看了您的病历
   *[other] 查看了 { $n } 份病历
}
log-reason = 理由：{ $reason }。{ $until }结束。
log-note = “{ $note }”
log-purpose = 用于{ $purpose }。
log-purpose-until = 用于{ $purpose }，到{ $until }为止。
log-emergency-help = 觉得不对？可以举报：该医务人员所在的医院必须对此作出答复并记录在案。下面的证据本身就能作证。
log-emergency-disputed = 您举报了一次急救查看
log-emergency-reviewed = 医院复核了一次急救查看
log-review-justified = 结论：当时确属急救，或只能按急救处理。
log-review-not-justified = 结论：当时并非急救。
report = 举报
report-title = 要举报这次查看吗？
report-text = 举报会永久记入您本人、该医务人员及其医院的记录，由医院复核。不能撤回。
report-keep = 先不
review-due = 该医务人员所在的医院须在{ $by }前复核这次查看，结论会单独列在这里。
review-overdue = 该医务人员所在的医院本应在{ $by }前复核这次查看，但还没有。请向该医院询问；这条记录可以证明它尚未履行。
report-done = 您已举报这次查看。该医务人员所在的医院会看到，并在这里给出复核结论。

## Settings
settings-title = 设置
settings-language = 语言
settings-text-size = 字号
text-normal = 标准
text-large = 大
text-larger = 特大
reports-title = 帮助他人找到应答良好的医院
reports-text = 本应用可以每周一次，把其他医院的计算机应答得如何（只精确到十分之几）写下来供所有人查看。不会写您读了什么、什么时候读的。但任何人都能看到，这个身份在那一周被使用过。不开启也不影响使用。
reports-off = 不报告
reports-on = 每周报告一次
about-title = 关于本应用，以及核对了什么
about-checked = 本应用核对医院的签名、您的访问记录没有遗漏、病历没有被改动。这些都在这台设备上完成。
about-not-checked = 它无法核对医院是否在病历里写错了内容，也管不了看过的人记住了什么。
about-did = 您的身份标识
about-version = 版本
lock-text = 锁定后，这台设备会忘掉您的钥匙，直到您再次输入口令。
lock = 锁定

## Scan
scan-title = 扫描急救卡
scan-lead = 把卡上的码对准摄像头。
scan-reading = 正在读卡 …
scan-typed = 或者输入卡上的代码
scan-typed-hint = 二维码下面的几组字符。
scan-typed-read = 读取代码
camera-label = 摄像头画面
camera-starting = 正在打开摄像头 …
camera-live = 正在寻找二维码 …
camera-absent = 这里没有摄像头，或本页面不能使用它。请选择二维码的图片，或输入代码。
camera-refused = 没有获得摄像头权限。请在浏览器设置中允许，或选择二维码的图片，或输入代码。
picture-choose = 选择图片

## Declare an emergency
declare-title = 急救访问
preview-title = 卡上的内容
preview-signed = 签名正确
preview-unsigned = 没有签名
preview-offline-hint = 直接从卡上读出，没有向任何人核实，可能已经过时。
preview-no-facts = 这个代码没有带来卡上的内容。请看卡面上印的字，并声明急救来打开摘要。
preview-offline = 联系不上任何医院。只能显示卡上的内容；摘要需要网络。
declare-you = 您是：
declare-why = 为什么不先征得同意？
reason-unconscious = 昏迷
reason-cannot-communicate = 无法沟通
reason-life-threatening = 危及生命或肢体，来不及询问
reason-other = 其他理由
declare-note = 备注（可不填）
declare-note-needed = 是什么理由？
declare-reason-missing = 请选择理由。
declare-note-missing = 请写下理由。
declare-warning = 这次访问会被记录，患者会得到通知。{ $hours } 小时后结束。
declare-submit = 声明急救并打开

## Summary
summary-title = 急救摘要
summary-unreadable = 有 { $count } 份记录无法读取，未列在此。请勿视本摘要为完整。
summary-made = 摘要由患者的钱包制作于{ $date }。
summary-over-title = 访问已结束
summary-over-text = 摘要已关闭。如果急救仍在继续，请再次扫卡并声明。
name-unknown = 姓名不详
sex-female = 女
sex-male = 男
sex-other = 其他性别
sex-unknown = 性别不详
critical = 可致命
section-known-none = 已知没有：病历明确记载没有。
section-no-information = 没有信息。不要当作没有。
section-left-out = 患者没有提供。

## Find, ask
find-code = 患者的代码
find-code-hint = 以 did:amulet: 开头，在患者手机的“我的二维码”里。
find-is-card = 这是急救卡。急救请用“扫码”；申请查看请扫患者本人的二维码。
find-is-no-code = 这不是患者的代码。它以 did:amulet: 开头，在患者手机的“我的二维码”里。
find = 查找
find-scan = 扫描二维码
find-looking = 正在查找 …
found = 找到患者，有 { $n } 份病历
found-other = 换一位患者
ask-title = 申请查看
ask-lead = 患者会看到您申请的每一项，由患者决定。
ask-categories = 需要看什么？
ask-categories-hint = 只申请这次诊疗需要的。
ask-categories-missing = 请至少选择一个类别。
ask-purpose = 为了什么？
ask-reader = 给谁看？
ask-reader-hint = 患者会看到这一项，也可以只授权给您一人。
ask-for-myself = 只给我
ask-for-department = 我所在科室的全体医务人员
ask-for-hospital = 我所在医院的全体医务人员
access-staff = 给{ $who }
ask-access-hours = 看多久？
ask-answer-hours = 给患者多长时间答复
ask-dates = 哪些日期？
ask-dates-hint = 不填就是全部。
ask-dates-from = 从
ask-dates-to = 到
ask-dates-backwards = 开始日期不能晚于结束日期。
ask-submit = 向患者申请
ask-sent-title = 已申请
ask-sent-text = 已向患者申请查看：{ $what }。答复会出现在“我的权限”里。
to-accesses = 去“我的权限”

## My accesses
received-title = 向我开放的病历
received-lead = 您所照顾的人向您开放的病历。您每次查看都会记入对方的记录。
received-empty-title = 还没有人向您开放病历
received-empty-step = 出示我的身份码
received-empty-text = 如果有人希望您作为照护者查看病历，请对方在自己的钱包里给您授权，并向对方出示您的身份码。
accesses-lead = 您申请过的、现在能看的和以前能看的。
accesses-empty-title = 还没有任何权限
accesses-empty-text = 请向患者申请，或扫描急救卡。
accesses-empty-step = 向患者申请
accesses-active = 现在有效
accesses-waiting = 等患者答复
accesses-ended = 已结束
access-waiting = 等待中
access-declined = 患者已拒绝
access-unanswered = 过期未答复
access-active = 有效
access-paused = 患者已暂停
access-used-up = 次数已用完
access-expired = 已到期
access-revoked = 患者已收回
access-emergency = 急救
access-emergency-ended = 急救，已结束
receipt-owed = 请在{ $by }前确认您看过的内容都已删除，包括副本、摘录和打印件。
receipt-overdue = 您本应在{ $by }前确认看过的内容都已删除。患者能看到您还没有确认。
receipt-confirmed = 您已于{ $at }确认删除。
receipt-sign = 我已全部删除
receipt-title = 签名确认全部删除？
receipt-text = 您的签名会以您的名字记入账本，患者可以看到。请在您自己或因您而产生的所有副本（文件、摘录、打印件）都清除之后再签名。签名后不能收回。
receipt-confirm = 签名
receipt-keep = 还没有
request-once = 只看一次
request-once-more = 对方只能打开这些病历一次，最多一小时，之后必须重新申请。已经看过的内容无法抹去。
asked-at = 始于{ $date }
open-records = 查看 { $n } 份病历
open-summary = 打开摘要
reading-title = 您可以查看的病历
reading-opening = 正在先把这次查看写入记录 …
reading-recorded = 这次查看已写入患者的访问记录。
reading-over-text = 这些病历已关闭，副本必须删除。
back-to-list = 返回列表

## Bring in
intake-title = 导入病历
intake-lead = 医院会拆分 FHIR 文件，为患者逐份加密并登记。
intake-choose = 选择 FHIR 文件
intake-another = 选择另一个文件
intake-clear = 清除
intake-file = 文件 { $name }
intake-in = 文件中
intake-out = 已接收
intake-refused = 已拒收

## Why a file or a resource was refused
refusal-file-empty = 文件是空的。
refusal-file-too-large = 文件太大。
refusal-file-not-utf8 = 文件不是 UTF-8 文本。
refusal-file-is-xml = 文件是 XML，不是 JSON。
refusal-file-not-json = 文件不是 JSON。
refusal-file-too-deep = 文件嵌套太深。
refusal-not-a-bundle = 文件不是 FHIR Bundle。
refusal-bundle-repeated-key = Bundle 中有重复的键，内容不明确。
refusal-bundle-entries-not-a-list = Bundle 的 entry 不是列表。
refusal-bundle-no-entries = Bundle 里没有条目。
refusal-bundle-too-many-entries = Bundle 里的条目太多。
refusal-bundle-no-patient = Bundle 里没有患者。
refusal-bundle-unusable-patient = Bundle 里的患者资源不能用。
refusal-bundle-more-than-one-patient = Bundle 里不止一位患者。
refusal-not-an-object = 不是 JSON 对象。
refusal-no-resource = 条目里没有资源。
refusal-change-request = 这是一个修改请求，不是病历。
refusal-search-outcome = 这是检索说明，不是病历。
refusal-no-resource-type = 没有说明资源类型。
refusal-bad-resource-type = 不是 FHIR 资源类型。
refusal-too-large = 作为一份病历太大。
refusal-too-deep = 嵌套太深。
refusal-too-many-values = 内容太多。
refusal-repeated-key = 有重复的键，读法可能不一致。
refusal-bad-text = 含有无效文字。
refusal-duplicate = 相同的病历已经接收。
refusal-conflicting-version = 已接收它的另一个版本，两者不同。
refusal-another-patient = 属于另一位患者。
refusal-unknown-patient = 提到了文件里没有的患者。

## Why the hospitals refused
refused-why-other = 医院给出的原因本应用还没有对应的说法，见下面的代码。
refused-why-nonce-used = 您签署的另一件事先到了。
refused-why-nonce-out-of-window = 您签署的另一件事先到了。
refused-why-wrong-key = 这个钱包的密钥不是医院登记的那一把。
refused-why-unknown-sender = 医院还不认识这个钱包。
refused-why-identity-exists = 这个身份已经登记过了。
refused-why-did-mismatch = 这个身份与钱包的密钥不符。
refused-why-unknown-practitioner = 要查看的人没有登记，或登记已经过期。
refused-why-bad-list = 病历清单是空的、太长，或有重复。
refused-why-bad-sealed = 只有接收方能打开的部分缺失或太长。
refused-why-unknown-record = 有一份病历医院不认识，或属于别人。
refused-why-unknown-holder = 要保管内容的医院不在这个网络里。
refused-why-core-record = 有一份病历不能离开产生它的医院。
refused-why-not-addressed = 这个申请是给别人的。
refused-why-already-answered = 已经答复过了。
refused-why-answer-too-late = 答复的期限已过。
refused-why-bad-duration = 时间超过了允许的长度，或还没开始就结束。
refused-why-beyond-request = 会开放没有申请的种类。
refused-why-not-your-grant = 这次授权属于别人。
refused-why-not-granted = 这次授权已不再开放其中一份病历。
refused-why-locator-taken = 这个卡号已经有人使用。
refused-why-not-your-card = 这张卡属于别人。
refused-why-note-needed = 选这个原因时需要自己写几个字说明。
refused-why-self-dealing = 不能自己向自己申请或授权。
refused-why-not-vouched = 没有医院足够了解这个钱包，不能接受它的报告。
refused-why-reported-lately = 这个钱包刚刚报告过。
refused-why-bad-share = 报告里有一个数不可能成立。
refused-why-grant-not-begun = 这次授权还没有开始。
refused-why-not-paused = 这次授权没有暂停。
refused-why-not-narrower = 这样并没有缩小范围。
refused-why-not-longer = 这样并没有延长时间。
refused-why-bad-erase-by = 删除期限与授权的结束时间不符。
refused-why-not-ended = 授权还没有结束，现在还不用删除。
refused-why-nothing-read = 这次授权下没有看过任何内容，没有什么要删除。
refused-why-deletion-confirmed = 删除已经确认过了。
refused-why-too-many-changes = 这次授权的改动次数已到上限，只能收回。
refused-why-bad-grantee = 医院不认识要授权的医务人员，或申请人不在其中。
refused-why-not-as-requested = 授权的对象或用途与申请的不同。
refused-why-too-many-declarations = 您今天声明急救的次数已到个人上限，医院已收到提醒。请找同事处理。
refused-why-already-disputed = 您已经举报过了。
refused-why-too-many-replacements = 密钥更换的次数已达上限。
refused-why-too-many-standing = 会自动开放新病历的授权已到上限。
refused-why-not-by-rules = 按各医院共同的规则，对方不能为此用途查看这些病历。
refused-why-unknown-study = 找不到这项研究。
refused-why-record-erased = 其中一份病历已被删除。
refused-why-erasure-asked = 您已经请求过了。
refused-why-record-kept = 医院要把这份病历保留到一个还没到的日期。
refused-why-study-closed = 这项研究没有开放：尚未批准，或已经结束。
refused-why-study-needed = 科研只能为已登记的研究阅读。
refused-why-beyond-study = 超出了这项研究获批的范围。
refused-why-already-enrolled = 您已经参加了这项研究。
refused-why-study-full = 这项研究的参加人数已满。
refused-why-preference = 其中有您设定了从不给的内容。可以在设置里更改。
refused-why-malformed = 医院没能读懂这个请求。
refused-why-bad-transaction = 医院不能接受所签的内容。
refused-why-clock = 本设备与医院的时钟相差太多。
refused-why-not-signed = 请求没有按要求签名。
refused-why-not-allowed = 没有生效的授权允许这样查看。
refused-why-not-covered = 有一份病历已不在这次授权之内。
refused-why-pruned = 医院已不再保存这么旧的内容。
refused-why-no-fork = 医院认为出示的内容没有矛盾。
refused-why-link-not-a-patient = 这家医院没有为您添加过病历，它只为自己的患者保存链接。
refused-why-link-too-many = 您的有效链接已达一家医院的上限。请先收回一个。
refused-why-link-hospital-full = 这家医院保存的链接已满。
refused-why-link-unknown = 这家医院不认识这个链接。
refused-why-busy = 医院现在很忙。

# 本设备的安全
security-title = 安全
security-lead = 这台设备上保护这个钱包的设置。
security-passphrase = 在这里打开钱包的口令。
security-keys = 把密钥换新，丢失的手机就不能再做任何事。
security-erase = 从这台设备移除钱包。
auto-lock-title = 自动锁定
auto-lock-text = 这么久无人使用时，钱包会锁定，密钥会从内存中清除。
auto-lock-minutes = { $n ->
    [60] 1 小时后
   *[other] { $n } 分钟后
}
auto-lock-away = 切换到其他应用或标签页时也锁定
auto-lock-away-text = 半分钟后锁定，所以您仍可拍照或选择文件。
lock-soon = 无人使用，即将锁定。
lock-stay = 继续使用
tries-left = { $time } 后可以再试
passphrase-change-title = 更改口令
passphrase-change-lead = 新口令只用于这台设备上的钱包，其他设备的口令不变。
passphrase-now = 现在的口令
passphrase-new = 新口令
passphrase-change = 更改口令
passphrase-changed = 口令已更改。
passphrase-changed-next = 从现在起，只有新口令能在这里打开这个钱包。
erase-title = 从这台设备抹除钱包
erase-lost = 密钥、急救卡以及这个钱包记住的一切都会离开这台设备。只有您的十二个恢复词、守护人或备份文件能把它们找回来。
erase-stays = 您的病历仍在医院，您给出的授权继续有效。
erase-words = 如果您手上没有恢复词，或者不确定，请到此为止。
erase-others = 其他人在这台设备上的钱包不受影响。
erase-type = 输入姓名「{ $name }」以继续
erase-differs = 这不是「{ $name }」。
erase-confirm = 抹除

# 更换密钥
keys-title = 我的手机丢失或被盗
keys-lead = 您可以把这个钱包的密钥全部换新。之后，拿到您丢失的手机或旧恢复词的人，再也不能以您的名义做任何事。
keys-point-lost = 其他装有这个钱包的手机和电脑都会停用，包括您自己的。请用新的恢复词重新设置它们。
keys-point-words = 您会得到十二个新的恢复词，旧的从此作废。
keys-point-stays = 您的病历、您给出的授权和访问记录都保持不变。
keys-point-card = 已打印的急救卡仍然可用，但请尽快换一张：拿到您手机的人知道它的代码。
keys-point-read = 别人已经从丢失的手机上看到或复制的内容，无法收回。
keys-words-title = 请写下新的恢复词
keys-sign-title = 更换密钥
keys-sign-lead = 从这一刻起，只有这台设备和新的恢复词代表您。此操作无法撤销。
keys-replace = 更换我的密钥
keys-done-title = 密钥已更换
keys-done-text = 您的所有医院都已收到新的密钥。丢失的手机和旧的恢复词不能再以您的名义做任何事。
keys-done-paper = 请销毁写有旧恢复词的纸，把新的放在原来的地方。
keys-done-card = 换一张急救卡
keys-done-card-why = 拿到您手机的人知道旧卡的代码。
keys-last = 上次更换密钥：{ $date }
keys-waiting = 还有 { $n } 家医院没有收到新的密钥。
keys-waiting-next = 下次核对时会自动继续。在那之前，请同时保留写有旧恢复词的纸。
keys-elsewhere = 您的密钥已在另一台设备上更换。
keys-elsewhere-next = 如果是您本人：请在这里用新的恢复词恢复钱包。如果不是您：请立即致电您的医院。

# 守护人、备份文件、迁移到新设备
security-guardians = 几位您信任的人合在一起，就能找回这个钱包。
security-backup = 这个钱包的副本，用您的口令锁住。
security-move = 扫两个码，钱包就到新设备上了。
guardians-title = 守护人
guardians-lead = 给您信任的人每人一张恢复单。手机和恢复词都丢失时，凑够几张就能找回钱包。
guardians-point-each = 单独一张什么也看不出来，被人捡到也没关系。
guardians-point-who = 请选不会同时住在一处、也不会同时卷入同一场争执的人。
guardians-point-hospital = 医院的患者服务处、公证处或银行也可以代为保管一张。
guardians-point-try = 请把足够的恢复单凑在一起试一次。试过之前不能算数。
guardians-make = 选择守护人
guardians-again = 制作新的恢复单
guardians-try = 试用恢复单
guardians-names-title = 谁是您的守护人？
guardians-names-lead = 名字只留在这台设备上，方便您日后找回恢复单。
guardian-name = 守护人 { $n }
guardian-more = 再加一位守护人
guardians-too-few = 请至少写两位守护人。
guardians-twice = 有两位守护人同名，请加以区分。
guardians-needed = 需要几张才能找回钱包？
guardians-needed-hint = 少一些，您更方便，串通的人也更方便；多一些更安全，但丢失几张就找不回来。
guardians-needed-of = { $total } 张中的 { $n } 张
guardians-split = 制作恢复单
guardians-sheets-title = 分发恢复单
sheets-once = 这些恢复单只显示一次，不会保存。请打印出来，或让每位守护人抄好自己的那张再继续。
sheet-of = 第 { $n } 张，共 { $total } 张
sheets-photo = 没有打印机？请守护人用自己的手机拍下屏幕，或抄下这些词。不要用您的手机拍：所有恢复单都在一处，就没有守护可言。
sheets-next = 下一张
sheets-print = 打印全部
sheets-handed-out = 已经分发完毕
sheet-title = { $owner } 的 Amulet 钱包恢复单
sheet-for = 交给 { $name } · 第 { $n } 张，共 { $total } 张
sheet-what = { $total } 张中任意 { $n } 张合在一起就能找回钱包。{ $owner } 会当面向您要，绝不会通过电话或消息索取。
sheet-qr = 这张恢复单的二维码
sheet-numbers = 在 Amulet 中选择“我已有钱包”，再选“守护人的恢复单”。可以输入词旁边的数字来代替单词（SLIP-0039）。
sheet-keep = 请和重要文件放在一起。不要给别人看，也不要转发。
sheet-number = 第 { $n } 张恢复单
sheet-words = 恢复单上的词
sheet-words-hint = 按顺序输入全部 20 个词，或 20 个数字。
sheets-first = 从任意一张开始。
sheets-enough = 恢复单已经够了。
sheets-missing = 还需要 { $n } 张。
sheets-scan = 扫描恢复单的二维码
sheets-type = 改为输入
sheets-add = 加入这张
guardians-try-title = 试用恢复单
guardians-try-lead = 请从现在保管的人手中取来足够的张数。什么都不会改变，恢复单也仍然有效。
guardians-untried = 还没有试过
guardians-untried-next = 没有人知道这些恢复单管不管用。请把足够的张数凑在一起试一次。
guardians-tried = 已于 { $date } 试过
guardians-tried-next = 这些恢复单能找回您的钱包。请每年再试一次。
guardians-worthless = 这些恢复单已经作废
guardians-worthless-next = 制作之后您更换过密钥。请制作新的恢复单，并请守护人销毁旧的。
guardians-who = 共 { $total } 张，需要 { $n } 张
guardians-made = 制作于 { $date }
guardians-earlier = 在此之前制作的恢复单仍然有效。如果有人不该再持有，请更换密钥。
backup-title = 备份文件
backup-lead = 把钱包存成文件：密钥、急救卡以及这台设备记住的内容。
backup-point-passphrase = 只有您现在的口令才能打开它。
backup-point-what = 病历不在其中，病历保存在医院。
backup-point-where = 请放到另一台设备或 U 盘上。捡到它的人可以尝试猜您的口令。
backup-point-words = 更换密钥之后，这个文件就作废了，请重新保存一份。
backup-save = 保存备份文件
move-title = 迁移到新设备
move-lead = 新设备当场得到这个钱包，不需要恢复词。
move-step-new = 在新设备上打开 Amulet，选择“我已有钱包”，再选“我的旧设备”。
move-step-scan = 在这里扫描它显示的码。
move-step-back = 然后让它扫描这台设备显示的码。
move-paste = 或粘贴码的文字
move-read = 读取
move-compare = 新设备显示的数字是否相同？
move-same = 相同，移交钱包
move-differs = 不同
move-show = 请用新设备扫描这个码。别人用不了它。
move-qr = 含有钱包的码，仅供新设备使用
move-text = 码的文字
move-then = 新设备显示您的钱包了吗？然后再决定这台设备怎么办。
move-erase = 如果要把这台设备送人，请先从上面清除钱包。
restore-others = 手边没有恢复词？
restore-sheets = 守护人的恢复单
restore-sheets-text = 您当初分发出去的恢复单，凑够张数即可。
restore-file = 备份文件
restore-file-text = 以及保存时的口令。
restore-device = 我的旧设备
restore-device-text = 它还能打开：扫两个码即可。
restore-sheets-title = 凑齐恢复单
restore-sheets-lead = 请当面向守护人要回恢复单，顺序不限。
restore-file-title = 从备份文件恢复
restore-file-lead = 文件名以 .amuletbackup 结尾。
restore-file-choose = 选择文件
restore-file-missing = 请先选择备份文件。
restore-device-title = 从旧设备接过来
restore-device-lead = 两台设备都在您面前。
move-new-open = 在旧设备上打开钱包，进入“设置”“安全”“迁移到新设备”。
move-new-scan = 让它扫描这个码。
move-new-digits = 核对下面的数字和它显示的是否相同。
move-new-qr = 这台设备的码
move-until = 此码在 { $time } 之前有效。
move-scan-back = 旧设备已经显示码了
move-scan-lead = 请扫描旧设备上的码。
move-again = 返回看码
move-open-lead = 请输入在旧设备上打开钱包的口令，以后可以更改。
move-take = 在这里打开我的钱包

## Errors: what happened; what it means for you; what to do now
error-code = 供技术支持使用的代码：{ $code }
error-wrong-passphrase = 这个口令打不开钱包。
    .means = 您的钱包安全，没有任何改变。
    .next = 请重新输入，注意大小写和输入法。
error-weak-passphrase = 这个口令太容易被猜到。
    .means = 拿到您设备的人可能打开钱包。
    .next = 请换一个更长的，比如四个互不相干的词。
error-locked = 钱包已锁定。
    .means = 打开之前什么都看不到。
    .next = 请用口令打开。
error-no-such-wallet = 这台设备上没有这个钱包。
    .means = 它可能已被移除。
    .next = 请选择别的钱包，或用恢复词恢复。
error-word-unknown = 第 { $index } 个词看起来不对：“{ $word }”不是恢复词。
    .means = 每个词都正确才能恢复钱包。
    .next = { $suggestion ->
        [none] 请再看看纸上的第 { $index } 个词。
       *[other] 是不是“{ $suggestion }”？
    }
error-word-count = 输入了 { $found } 个词，应该是 { $expected } 个。
    .means = 词都齐了才能恢复钱包。
    .next = 请对照纸：是不是少了一个，或多写了一个？
error-word-checksum = { $index ->
        [none] 每个词都存在，但合在一起不对。
       *[other] 每个词都存在，但合在一起不对；请先看第 { $index } 个词。
    }
    .means = 有一个词错了，或者两个词的顺序反了。
    .next = 请对照纸逐个核对词和顺序。
error-word-languages = 混用了两种语言的词。
    .means = 恢复词要么全是中文，要么全是英文。
    .next = 请全部按纸上的语言输入。
error-words-differ = 第 { $index } 个词和显示的不一样。
    .means = 没有建立或更改任何东西，因为您抄的可能有误。
    .next = 请返回，对照显示的词检查纸，再输入一次。
error-no-pending-words = 恢复词显示的时间太久了。
    .means = 没有建立或更改任何东西。
    .next = 请用新的恢复词重新开始，并销毁旧的那张纸。
error-unreachable = 联系不上任何医院。
    .means = 什么都没有发送或改变。以前取到的内容仍可查看。
    .next = { $why ->
        [sign_in] 这个网络要求先登录：请打开任意网页，在那里登录，再回来重试。
       *[other] 请检查网络，然后再试。
    }
error-too-few-witnesses = 需要 { $needed } 家医院答复，只有 { $answered } 家答复了。
    .means = 不能只相信一家医院，所以不显示新内容。
    .next = 请稍后再试。
error-disagreement = 各家医院的说法互相矛盾。
    .means = 有几家医院签了互相排斥的内容。这本不该发生：它们出了错或被入侵。在它们一致之前，Amulet 不显示新内容。您的病历是安全的。
    .next = 暂时不要签名，也不要同意任何新的事情。请打电话给您的医院，并提供下面的代码。
error-forged = { $hospital ->
        [none] 一家医院
       *[other] { $hospital }
    }的答复没有通过核对。
    .means = 它已被丢弃。没有显示任何虚假内容，您的病历是安全的。
    .next = 请再试一次，会改问其他医院。如果再次发生，请告诉您的医院，并提供下面的代码。
error-stale = 按这台设备的时钟，上次核对是在{ $age }以前。
    .means = 隔得太久，不能直接接着用；也可能是时钟不准。暂时不显示新内容。您看到的内容在核对时是真的。
    .next = 请检查这台设备的时间和网络，然后再试。如果没有用，可以从另一台设备的十个词开始：“设置”里的“与另一台设备对照”。
error-clock-behind = 本设备的时钟似乎不准。
    .means = 有几家医院的记录日期晚于本设备的时钟。在时钟校准之前，不会显示任何新内容。
    .next = 请设置本设备的日期和时间，最好设为自动，然后重试。
error-refused = 各家医院拒绝了这个操作。
    .means = { $reason }什么都没有改变。
    .next = 请重新查看页面，情况可能已经变了。
error-not-committed = 医院没有及时确认。
    .means = 它可能仍会成功，但不确定。
    .next = 请等一分钟，先看访问记录再决定是否重试。
error-code-not-ours = 这不是 Amulet 的码。
    .means = 什么都没有打开。
    .next = 请找带有 Amulet 十字的卡，扫上面的码。
error-code-damaged = 这个码不完整或输错了。
    .means = 什么都没有打开。
    .next = 请在明亮处重新扫描整个码，或逐个核对字符。
error-checkpoint-code = 这不是检查点的码。
    .means = 没有对照，也没有更改任何东西。
    .next = 在另一台设备上打开“与另一台设备对照”，扫描或复制那里完整的码。
error-checkpoint-word = 第 { $index } 个词好像不对：“{ $word }”不是设备会显示的词。
    .means = 没有对照，也没有更改任何东西。
    .next = { $suggestion ->
        [none] 请再看看另一台设备上的第 { $index } 个词。
       *[other] 您是不是想输入“{ $suggestion }”？
    }
error-checkpoint-word-count = 输入了 { $found } 个词，应该是 { $expected } 个。
    .means = 没有对照，也没有更改任何东西。
    .next = 请与另一台设备对照：是不是漏了一个词，或者多了一个？
error-checkpoint-differs = 没有医院有与这些词相符的条目；第 { $index } 个词开始不同。
    .means = 可能是词或编号看错了，也可能另一台设备看到的是别的内容。这里没有更改任何东西。
    .next = 请把编号和词再看一遍。如果确实如此，请打电话给您的医院。
error-card-revoked = 这张卡{ $at ->
        [none] {""}
       *[other] 在{ $at }
    }已作废或更换。
    .means = 它什么也打不开。患者身上可能有新卡。
    .next = 请找新卡，或向患者申请查看。
error-card-unknown = 没有医院认识这张卡。
    .means = 它什么也打不开，可能来自别的网络。
    .next = 请核对代码，或向患者申请查看。
error-no-qr-in-picture = 这张图片里读不出二维码。
    .means = 什么都没有打开。
    .next = 请拍一张更清晰、包含整个码的图片，或输入代码。
error-fhir-refused = 无法接收这个文件：{ $message }
    .means = 没有保存其中任何内容。
    .next = 请选择只含一位患者的 FHIR R4 JSON 文件。
error-too-large = 文件太大（{ $size }，最多 { $limit }）。
    .means = 没有保存其中任何内容。
    .next = 请分成几个小文件导出，再逐个导入。
error-record-unavailable = 这份病历暂时取不到。
    .means = 它是安全的，只是保存它的医院没有答复。
    .next = 请稍后再试。
error-grant-ended = { $why ->
        [expired] 这次授权的时间到了。
        [revoked] 患者已收回这次授权。
        [used_up] 这次授权的使用次数已用完。
        [paused] 患者已暂停这次授权。
       *[other] 这次授权已结束。
    }
    .means = { $why ->
        [paused] 在患者恢复之前，这些病历不能打开。
       *[other] 病历已关闭，副本必须删除。
    }
    .next = { $why ->
        [paused] 请等待，或与患者沟通。
       *[other] 如果仍然需要，请重新向患者申请。
    }
error-not-a-clinician = 只有登记过的医生才能这样做。
    .means = 什么都没有打开。
    .next = 请让您的医院为您登记。
error-not-found = { $what ->
        [identity] 没有医院认识用这些词的钱包。
        [card] 这份摘要是在另一台设备上打开的。
       *[other] 这个内容不存在，或已经没有了。
    }
    .means = 什么都没有改变。
    .next = { $what ->
        [identity] 请返回，对照纸检查这些词；也许那是另一个钱包的纸。
        [card] 请在这里再次扫卡并声明急救。
       *[other] 请返回重新查看。
    }
error-storage = 这台设备没能保存某些内容。
    .means = 最后一步可能没有保存下来。
    .next = 请腾出空间，允许本页面保存数据，然后再试。
error-too-many-tries = 口令输错的次数太多。
    .means = 已连续输错 { $found } 次。钱包是安全的；它需要等待，让别人无法逐个试出口令。
    .next = 请等待 { $wait }，再仔细输入。如果忘记了口令，请用恢复词恢复钱包。
error-keys-replaced = 您的密钥已在另一台设备上更换。
    .means = 这个钱包不再代表您。没有任何更改。
    .next = 如果是您本人，请在这里用新的恢复词恢复钱包。如果不是您，请立即致电您的医院。
error-words-replaced = 这些恢复词已被新的恢复词取代。
    .means = 这个钱包的密钥已更换，这些词属于之前的密钥。
    .next = 请使用较新的恢复词。如果不是您本人更换的，请立即致电您的医院。
error-sheet-word = 第 { $index } 个词看起来不对：“{ $word }”不是恢复单上的词。
    .means = 没有丢失任何东西，只是这样读不出来。
    .next = { $suggestion ->
        [none] 请再看看恢复单上的第 { $index } 个词，或者输入它的数字。
       *[other] 是不是“{ $suggestion }”？
    }
error-sheet-word-count = { $found ->
        [none] 一张恢复单有 20 个词。
       *[other] 一张恢复单有 20 个词，这里有 { $found } 个。
    }
    .means = 这样读不出来。
    .next = 请从第一个到最后一个，输入一张恢复单上的全部词。
error-sheet-checksum = 每个词都存在，但合在一起不对。
    .means = 有一个词错了，或者两个词的顺序反了。
    .next = 请逐词与恢复单核对，或扫描它的二维码。
error-sheet-other = 这张恢复单来自别的程序。
    .means = 它符合同一标准，但不是 Amulet 钱包的。
    .next = 请找写有“Amulet 钱包恢复单”的那张。
error-sheets-mixed = 这些恢复单不是一套。
    .means = 它们制作于不同时间，或属于不同的钱包。
    .next = 请只把同一个人、同一天制作的恢复单放在一起。
error-sheets-too-few = { $needed ->
        [none] 还需要更多恢复单。
       *[other] 需要 { $needed } 张，现有 { $found } 张。
    }
    .means = 这些还看不出任何内容。
    .next = 请再向一位守护人要恢复单。
error-sheets-contradict = 这些恢复单互相矛盾。
    .means = 至少有一张是假的，可能弄错了，也可能是故意的。没有恢复任何东西。
    .next = 请换同一套的其他几张再试，并弄清是谁给了假的。
error-sheets-elsewhere = 这些恢复单属于另一个钱包。
    .means = 用它们找回的密钥不是这个钱包的。
    .next = 请看恢复单上的名字。如果是您的，请立即制作新的恢复单。
error-wallet-exists = 这个钱包已经在这台设备上。
    .means = 没有任何改变。
    .next = 请在首页的列表中打开它。
error-backup-not-ours = 这不是钱包的备份。
    .means = 没有任何改变。
    .next = 请找文件名以 .amuletbackup 结尾的文件。
error-other-network = 这个钱包属于其他医院。
    .means = 这个应用所认识的医院，不是钱包登记的医院。没有任何改变。
    .next = 请使用当初创建钱包时那些医院的应用。
error-move-code = 这不是设备迁移时显示的码。
    .means = 没有移交或改变任何东西。
    .next = 请在光线好的地方，完整扫描另一台设备上的大码。
error-move-over = 这个码属于另一台设备，或者已经过期。
    .means = 没有任何改变，也没有人能使用这个码。
    .next = 请重新开始：在新设备上显示新的码，再用旧设备扫描。
error-bad-request = 输入的内容不能用{ $message ->
        [none] {""}
       *[other] ：{ $message }
    }。
    .means = 什么都没有改变。
    .next = 请检查输入的内容。
error-internal = Amulet 出了差错。
    .means = 您的钥匙和病历不受影响。
    .next = 请再试一次。如果再次发生，请把下面的代码发给技术支持。
